import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { readRetryAfter } from '../../src/push/retry-after.ts';

const NOW = Date.parse('2026-11-01T12:00:00Z');

const CASES: readonly (readonly [string | undefined, number | undefined])[] = [
  [undefined, undefined],
  ['', undefined],
  ['0', 0],
  [' 2 ', 2_000],
  ['99999', 3_600_000],
  ['1.5', undefined],
  ['-1', undefined],
  ['soon', undefined],
  ['Sun, 01 Nov 2026 12:00:03 GMT', 3_000],
  ['Sunday, 01-Nov-26 12:00:03 GMT', 3_000],
  ['Sun, 01 Nov 2026 11:59:00 GMT', 0],
  ['Sun, 99 Nov 2026 11:59:00 GMT', undefined],
];

for (const [value, expected] of CASES)
  it(`Retry-After ${JSON.stringify(value)} is ${expected} ms`, () => {
    assert.equal(readRetryAfter(value, NOW), expected);
  });

it('any text gives nothing or 0 to one hour', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      const ms = readRetryAfter(text, NOW);
      assert.ok(ms === undefined || (ms >= 0 && ms <= 3_600_000));
    }),
  );
});
