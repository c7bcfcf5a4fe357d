import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { Registry } from 'prom-client';
import { BoundedCounter } from '../../src/telemetry/bounded-labels.ts';

const LABELS = ['a', 'b', 'c'] as const;
type Values = readonly [unknown, unknown, unknown];

function newCounter() {
  const registry = new Registry();
  const counter = new BoundedCounter(registry, 'reports_total', 'r', LABELS);
  return {
    count: (values: Values) => counter.count((label) => values[LABELS.indexOf(label)]),
    lines: async () =>
      (await registry.metrics()).split('\n').filter((line) => line.startsWith('reports_total{')),
  };
}

/** What separates labels in some place, and what a text may hold besides. */
const piece = fc.constantFrom(
  '\u0000',
  ',',
  ':',
  '"',
  '\\',
  '\n',
  '\r',
  '\u2028',
  '\u0085',
  'a',
  'b:',
  ',c:',
  '\ud800',
  'é',
);
const value = fc.oneof(
  fc.array(piece, { maxLength: 6 }).map((pieces) => pieces.join('')),
  fc.string({ unit: 'binary', maxLength: 200 }),
  fc.constantFrom(undefined, null, true, 1, {}, []),
);
const set = fc.tuple(value, value, value);

describe('labels that apps report', () => {
  it('NUL does not collapse different sets into one key: the bound holds', async () => {
    const { count, lines } = newCounter();
    for (let index = 0; index < 5_250; index += 1) {
      const cuts = [index % 15, Math.floor(index / 15) % 15, Math.floor(index / 225)];
      count([
        `${'\0'.repeat(cuts[0] ?? 0)}x`,
        `${'\0'.repeat(cuts[1] ?? 0)}x`,
        `x${'\0'.repeat(cuts[2] ?? 0)}`,
      ]);
    }
    assert.ok((await lines()).length <= 1_001);
  });

  it('whatever the values are, sets that differ once cleaned have a series each, and no series twice', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(set, { maxLength: 60 }), async (sets) => {
        const { count, lines } = newCounter();
        for (const each of sets) count(each);
        const seen = await lines();
        const names = seen.map((line) => line.slice(0, line.lastIndexOf(' ')));
        assert.equal(new Set(names).size, seen.length, 'a series is there twice');
        const expected = new Map<string, number>();
        for (const each of sets) {
          const key = JSON.stringify(each.map(shown));
          expected.set(key, (expected.get(key) ?? 0) + 1);
        }
        const counts = seen.map((line) => Number(line.slice(line.lastIndexOf(' ') + 1)));
        assert.deepEqual(counts.sort(), [...expected.values()].sort());
        for (const line of seen) assert.doesNotMatch(line, /[\p{Cc}\u2028\u2029]/u);
      }),
      { numRuns: 200 },
    );
  });

  it('any values at all: never more series than the bound and the one for the rest', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(set, { minLength: 1, maxLength: 50 }), async (sets) => {
        const { count, lines } = newCounter();
        for (let round = 0; round < 60; round += 1)
          for (const [a, b, c] of sets) count([`${round}${String(a)}`, b, c]);
        assert.ok((await lines()).length <= 1_001);
      }),
      { numRuns: 10 },
    );
  });
});

/** A value as the documents describe it: 64 characters, control characters replaced, `None` for none. */
function shown(value: unknown): string {
  if (value === undefined || value === null) return 'None';
  if (typeof value === 'object') return 'other';
  return [...String(value)]
    .slice(0, 64)
    .map((char) => (/[\p{Cc}\p{Cs}\u2028\u2029]/u.test(char) ? '\ufffd' : char))
    .join('');
}
