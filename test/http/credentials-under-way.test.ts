import assert from 'node:assert/strict';
import { it } from 'node:test';
import { CredentialsUnderWay } from '../../src/http/access/limits/credentials-under-way.ts';

it('credentials of others are counted once each, while any request with them is judged', () => {
  const underWay = new CredentialsUnderWay();
  assert.equal(underWay.others('account', 'mine'), 0);
  underWay.enter('account', 'mine');
  assert.equal(underWay.others('account', 'mine'), 0);
  assert.equal(underWay.others('account', 'another'), 1);
  assert.equal(underWay.others('other account', 'another'), 0);
  for (let time = 0; time < 2; time += 1) underWay.enter('account', 'guess');
  assert.equal(underWay.others('account', 'mine'), 1);
  assert.equal(underWay.others('account', 'another'), 2);
  underWay.leave('account', 'guess');
  assert.equal(underWay.others('account', 'mine'), 1);
  underWay.leave('account', 'guess');
  assert.equal(underWay.others('account', 'mine'), 0);
  underWay.leave('account', 'mine');
  assert.equal(underWay.others('account', 'another'), 0);
});
