import assert from 'node:assert/strict';
import { DatabaseSync } from 'node:sqlite';
import { it } from 'node:test';
import { until } from '../../harness/until.ts';
import { startTestService } from '../helpers/test-service.ts';

it('while another process has locked the database, calls go on: answers are taken and delivered at once', async (t) => {
  const service = await startTestService(t, { settings: { APP_PUSH_ROUNDTRIP_WAIT: '20000' } });
  const phone = await service.phone({ silent: true });
  const others = await Promise.all([service.phone(), service.phone(), service.phone()]);
  const waiting = service.ask({ account: phone.account });
  await until(() => phone.pushes() === 1, 'the phone is pushed');

  const other = new DatabaseSync(service.databaseUrl.slice('sqlite:'.length));
  t.after(() => other.close());
  other.exec('begin immediate');
  let refused = 0;
  const registrations = others.map(async (one) => {
    const { status } = await one.register();
    refused += 1;
    return status;
  });
  const push = service.world.google.received.list().findLast(({ token }) => token === phone.token);
  assert.ok(push);
  const answer = await phone.answer(push);
  const acknowledged = await waiting;
  assert.deepEqual([answer.status, acknowledged.body], [202, 'status=ACK']);
  assert.equal(refused, 0, 'the answer waited for a registration to give up');

  assert.deepEqual(await Promise.all(registrations), [503, 503, 503]);
  other.exec('rollback');
  assert.equal((await others[0].register()).status, 200);
});

it('a short lock costs a registration nothing but its time', async (t) => {
  const service = await startTestService(t);
  const phone = await service.phone();
  const other = new DatabaseSync(service.databaseUrl.slice('sqlite:'.length));
  t.after(() => other.close());
  other.exec('begin immediate');
  const registration = phone.register();
  setTimeout(() => other.exec('rollback'), 50);
  assert.equal((await registration).status, 200);
});
