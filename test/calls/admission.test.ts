import assert from 'node:assert/strict';
import { it } from 'node:test';
import { createAdmission } from '../../src/calls/admission.ts';

it('calls whose phone is being looked up take a place, until the database has answered or failed', async () => {
  const lookups: PromiseWithResolvers<undefined>[] = [];
  let waiting = 1;
  const admission = createAdmission({
    devices: {
      findTarget: () => {
        const lookup = Promise.withResolvers<undefined>();
        lookups.push(lookup);
        return lookup.promise;
      },
    },
    waiting: () => waiting,
    maxWaiting: 3,
    isLate: () => false,
  });
  assert.equal(admission.refusal(), undefined);
  const [first, second] = [admission.find(100_000_001), admission.find(100_000_002)];
  assert.equal(admission.refusal(), 'MAX_WAITING_CALLS');
  lookups[0]?.resolve(undefined);
  await first;
  assert.equal(admission.refusal(), undefined);
  waiting = 2;
  assert.equal(admission.refusal(), 'MAX_WAITING_CALLS');
  lookups[1]?.reject(new Error('the database is away'));
  await assert.rejects(second, /the database is away/);
  assert.equal(admission.refusal(), undefined);
});
