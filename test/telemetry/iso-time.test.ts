import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { createIsoTime } from '../../src/telemetry/log.ts';

it('the time of a line is what Date makes of it, whichever time came before', () => {
  let now = 0;
  const time = createIsoTime(() => now);
  fc.assert(
    fc.property(fc.nat({ max: 4_102_444_800_000 }), fc.nat({ max: 2_500 }), (moment, later) => {
      for (now of [moment, moment + later, moment]) {
        assert.equal(time(), `,"time":"${new Date(now).toISOString()}"`);
      }
    }),
  );
});
