import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { describe, it } from 'node:test';
import { until } from '../../harness/until.ts';
import { startTestService, type TestPhone, type TestService } from '../helpers/test-service.ts';
import { UNHURRIED } from '../providers/unhurried.ts';

/** Answers as an app does, to any key. */
async function answer(service: TestService, key: string, available = true): Promise<number> {
  const response = await fetch(`${service.url}/api/call-response/`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ unique_key: key, message_start_time: 1.5, available }),
  });
  assert.equal(await response.text(), '""');
  return response.status;
}

async function keyOfPush(service: TestService, phone: TestPhone): Promise<string> {
  await until(() => phone.pushes() > 0, 'the phone is pushed');
  const { received } = phone.token.startsWith('fcm') ? service.world.google : service.world.apple;
  const push = received.list().findLast((candidate) => candidate.token === phone.token);
  return String(push?.payload['unique_key']);
}

function answersLogged(service: TestService) {
  return service.logged.filter((line) => line.message.startsWith('app answered') && line.level === 'info');
}

describe('answers', { concurrency: true }, () => {
  for (const first of [true, false]) {
    it(`the first one counts, the second is taken and changes nothing (first ${first})`, async (t) => {
      const service = await startTestService(t, { settings: UNHURRIED });
      const phone = await service.phone({ silent: true });
      const call = { account: phone.account, callId: randomUUID() };
      const waiting = service.ask(call);
      const key = await keyOfPush(service, phone);
      assert.equal(await answer(service, key, first), 202);
      assert.equal(await answer(service, key, !first), 202);
      assert.equal(await answer(service, key, first), 202);
      assert.equal((await waiting).body, first ? 'status=ACK' : 'status=NAK');
      assert.equal((await service.ask(call)).outcome, first ? 'ready' : 'declined');
      assert.deepEqual(
        answersLogged(service).map((line) => line.message),
        ['app answered: taken'],
      );
    });
  }

  it('two at the same moment: both are taken, one decides', async (t) => {
    const service = await startTestService(t, { settings: UNHURRIED });
    const phone = await service.phone({ silent: true });
    const waiting = service.ask({ account: phone.account });
    const key = await keyOfPush(service, phone);
    const statuses = await Promise.all([answer(service, key, true), answer(service, key, false)]);
    assert.deepEqual(statuses, [202, 202]);
    const { outcome } = await waiting;
    const [taken, ...more] = answersLogged(service);
    assert.deepEqual(more, []);
    assert.equal(outcome, taken?.fields['available'] === true ? 'ready' : 'declined');
  });

  it('to a key that nobody waits for: 404', async (t) => {
    const service = await startTestService(t, { settings: UNHURRIED });
    for (const key of [randomUUID(), 'x', '__proto__', 'constructor', '0'.repeat(255)])
      assert.equal(await answer(service, key), 404, key);
    assert.deepEqual(answersLogged(service), []);
  });

  for (const [sort, callId] of [
    ['an Asterisk name', '1574953201.42-pbx@ams'],
    ['a UUID with something behind it', `${randomUUID()}x`],
    ['31 hex digits', 'a'.repeat(31)],
  ] as const) {
    it(`an iPhone called with ${sort} gets 32 hex digits, and either key answers`, async (t) => {
      const service = await startTestService(t, { settings: UNHURRIED });
      const phone = await service.phone({ kind: 'ios', silent: true });
      for (const which of ['pushed', 'call_id'] as const) {
        const id = which === 'pushed' ? callId : `${callId}!`;
        const pushes = phone.pushes();
        const waiting = service.ask({ account: phone.account, callId: id });
        await until(() => phone.pushes() > pushes, 'the phone is pushed');
        const key = await keyOfPush(service, phone);
        assert.match(key, /^[0-9a-f]{32}$/);
        assert.equal(await answer(service, which === 'pushed' ? key : id), 202);
        assert.equal((await waiting).outcome, 'ready');
        assert.equal(await answer(service, which === 'pushed' ? id : key), 202, 'the other is a duplicate');
      }
    });
  }

  it('an iPhone is given a UUID and 32 hex digits as they are', async (t) => {
    const service = await startTestService(t, { settings: UNHURRIED });
    const phone = await service.phone({ kind: 'ios' });
    for (const callId of [randomUUID(), randomUUID().toUpperCase(), 'ABCDEF0123456789abcdef0123456789']) {
      assert.equal((await service.ask({ account: phone.account, callId })).outcome, 'ready');
      assert.equal(await keyOfPush(service, phone), callId);
    }
  });

  it('an Android phone is given any name as it is', async (t) => {
    const service = await startTestService(t, { settings: UNHURRIED });
    const phone = await service.phone();
    const callId = '1574953201.42-pbx@ams/🙂';
    assert.equal((await service.ask({ account: phone.account, callId })).outcome, 'ready');
    assert.equal(await keyOfPush(service, phone), callId);
  });
});

it('an answer after the NAK: 404, and the PBX keeps its NAK', async (t) => {
  const service = await startTestService(t);
  const phone = await service.phone({ silent: true });
  const waiting = service.ask({ account: phone.account });
  const key = await keyOfPush(service, phone);
  assert.equal((await waiting).body, 'status=NAK');
  assert.equal(await answer(service, key), 404);
  assert.deepEqual(
    answersLogged(service).map((line) => line.message),
    ['app answered: late'],
  );
});

it("a second answer after the call's time: 404", async (t) => {
  const service = await startTestService(t);
  const phone = await service.phone();
  assert.equal((await service.ask({ account: phone.account })).outcome, 'ready');
  const key = await keyOfPush(service, phone);
  await until(async () => (await answer(service, key)) === 404, 'the time of the call is over');
});
