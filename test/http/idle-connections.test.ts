import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { type Idle, IdleConnections } from '../../src/http/listener/idle-connections.ts';

interface Named extends Idle<Named> {
  readonly name: number;
}

it('the one that has been idle for longest is found, whichever came and went', () => {
  const steps = fc.array(fc.record({ name: fc.nat({ max: 9 }), comes: fc.boolean() }));
  fc.assert(
    fc.property(steps, (all) => {
      const idle = new IdleConnections<Named>();
      const connections = Array.from(
        { length: 10 },
        (_, name): Named => ({ name, isIdle: false, before: undefined, behind: undefined }),
      );
      const expected = new Set<number>();
      for (const { name, comes } of all) {
        const connection = connections[name] ?? assert.fail();
        if (comes) {
          idle.add(connection);
          expected.add(name);
        } else {
          idle.delete(connection);
          expected.delete(name);
        }
        assert.equal(idle.size, expected.size);
        assert.equal(idle.oldest?.name, [...expected][0]);
      }
    }),
  );
});
