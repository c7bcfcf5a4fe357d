import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { ByLabels } from '../../src/telemetry/by-labels.ts';

it('each set of labels has one value, which is made when it is first asked for', () => {
  const label = fc.constantFrom('x', 'y', 1);
  const labelSet = fc.record({ a: label, b: label }, { requiredKeys: [], noNullPrototype: true });
  fc.assert(
    fc.property(fc.array(labelSet), (asked) => {
      const made: object[] = [];
      const values = new ByLabels(['a', 'b'], (labels) => {
        const value = { ...labels };
        made.push(value);
        return value;
      });
      for (const labels of asked) assert.deepEqual(values.get(labels), labels);
      const sets = new Set(asked.map(({ a, b }) => JSON.stringify([a, b])));
      assert.equal(made.length, sets.size);
    }),
  );
});
