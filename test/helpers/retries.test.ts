import assert from 'node:assert/strict';
import { it } from 'node:test';
import { Retries, type TriedRow } from './retries.ts';

const LATE: TriedRow = { name: 'late', problems: ['a PBX waited 9 s'], lateness: 1, othersShare: 0.5 };
const FINE: TriedRow = { name: 'fine', problems: [], lateness: 0, othersShare: 0.5 };

/** Runs a row that comes to these results in turn; the results that were reported. */
async function triesOf(retries: Retries, ...results: readonly TriedRow[]): Promise<readonly TriedRow[]> {
  const reported: TriedRow[] = [];
  const last = await retries.run(
    async () => results[reported.length] ?? FINE,
    (row) => reported.push(row),
  );
  assert.equal(last, reported.at(-1));
  return reported;
}

it('a row that was only late on a busy machine is tried once more, and the summary names it', async () => {
  const retries = new Retries(20);
  assert.deepEqual(await triesOf(retries, LATE, LATE, FINE), [LATE, LATE]);
  assert.equal(
    retries.summary,
    '1 of 20 rows tried again because they were late: late (other programs used 50 % of the machine)',
  );
});

it('a row with another problem, or on an idle machine, is not tried again', async () => {
  const retries = new Retries(20);
  const wrong = { ...LATE, problems: [...LATE.problems, 'answered twice'] };
  const idle = { ...LATE, othersShare: 0.1 };
  assert.deepEqual(await triesOf(retries, wrong), [wrong]);
  assert.deepEqual(await triesOf(retries, idle), [idle]);
  assert.deepEqual(await triesOf(retries, FINE), [FINE]);
  assert.equal(retries.summary, '0 of 20 rows tried again because they were late');
});

it('one row in ten is tried again at most', async () => {
  const retries = new Retries(20);
  for (const tries of [2, 2, 1]) assert.equal((await triesOf(retries, LATE, FINE)).length, tries);
  assert.equal((await triesOf(new Retries(9), LATE, FINE)).length, 1);
});
