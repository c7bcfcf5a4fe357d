import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { describe, it } from 'node:test';
import { until } from '../../harness/until.ts';
import { startTestService, type TestService } from '../helpers/test-service.ts';
import { UNHURRIED } from '../providers/unhurried.ts';

function repeats(service: TestService, found: 'waiting' | 'answered'): Promise<number> {
  return service.metric(`vialer_middleware_calls_repeated_total{found="${found}"}`);
}

describe('the same call asked again', { concurrency: true }, () => {
  for (const available of [true, false]) {
    it(`joins the one that waits: one push, the same answer (available ${available})`, async (t) => {
      const service = await startTestService(t, { settings: UNHURRIED });
      const phone = await service.phone({ silent: true });
      const call = { account: phone.account, callId: randomUUID() };
      const first = service.ask(call);
      await until(() => phone.pushes() === 1, 'the phone is pushed');
      const second = service.ask(call);
      await until(async () => (await repeats(service, 'waiting')) === 1, 'the second has joined');
      assert.equal(service.running.waiting(), 1);
      const [push] = service.world.google.received.list();
      assert.ok(push);
      await phone.answer(push, { available });
      for (const { body, outcome } of await Promise.all([first, second])) {
        assert.equal(body, available ? 'status=ACK' : 'status=NAK');
        assert.equal(outcome, available ? 'ready' : 'declined');
      }
      assert.equal(service.world.google.requests.count(), 1);
      assert.equal(service.logged.filter((line) => line.message.startsWith('call ended')).length, 1);
    });

    it(`after the answer, within the call's time: the same answer and no push (${available})`, async (t) => {
      const service = await startTestService(t, { settings: UNHURRIED });
      const phone = await service.phone({ available });
      const call = { account: phone.account, callId: randomUUID() };
      const first = await service.ask(call);
      const second = await service.ask(call);
      assert.equal(second.outcome, available ? 'ready' : 'declined');
      assert.equal(second.outcome, first.outcome);
      assert.equal(second.body, first.body);
      assert.equal(phone.pushes(), 1);
      assert.equal(await repeats(service, 'answered'), 1);
    });
  }

  it('five at the same moment: one push', async (t) => {
    const service = await startTestService(t, { settings: UNHURRIED });
    const phone = await service.phone({ wakeUpMs: 100 });
    const call = { account: phone.account, callId: randomUUID() };
    const answers = await Promise.all(Array.from({ length: 5 }, () => service.ask(call)));
    for (const { outcome } of answers) assert.equal(outcome, 'ready');
    assert.equal(phone.pushes(), 1);
  });

  it('after the answer, one call_id for two accounts: each has its own answer again and no push', async (t) => {
    const service = await startTestService(t, { settings: UNHURRIED });
    const callId = randomUUID();
    const phones = [await service.phone({ available: false }), await service.phone()];
    const ring = () => Promise.all(phones.map(({ account }) => service.ask({ account, callId })));
    const first = (await ring()).map(({ outcome }) => outcome);
    assert.deepEqual(first, ['declined', 'ready']);
    assert.deepEqual(
      (await ring()).map(({ outcome }) => outcome),
      first,
    );
    assert.deepEqual(
      phones.map((phone) => phone.pushes()),
      [1, 1],
    );
  });

  it('for another account is a call of its own', async (t) => {
    const service = await startTestService(t, { settings: UNHURRIED });
    const callId = randomUUID();
    const phones = [await service.phone({ silent: true }), await service.phone({ silent: true })] as const;
    const calls = phones.map(({ account }) => service.ask({ account, callId }));
    await until(() => service.world.google.received.count() === 2, 'both phones are pushed');
    assert.equal(service.running.waiting(), 2);
    const pushTo = (token: string) => {
      const push = service.world.google.received.list().find((received) => received.token === token);
      assert.ok(push);
      return push;
    };
    const keys = phones.map(({ token }) => pushTo(token).payload['unique_key']);
    assert.equal(new Set(keys).size, 2);
    await phones[0].answer(pushTo(phones[0].token), { available: false });
    await phones[1].answer(pushTo(phones[1].token), { available: true });
    assert.deepEqual(
      (await Promise.all(calls)).map(({ outcome }) => outcome),
      ['declined', 'ready'],
    );
  });
});

describe('requests that join a call are bounded', { concurrency: true }, () => {
  const settings = {
    APP_PUSH_ROUNDTRIP_WAIT: '20000',
    APP_PUSH_RESEND_INTERVAL: '20000',
    MAX_WAITING_CALLS: '40',
  };

  /** Asks many times; resolves once each request is either held or refused. */
  async function askMany(service: TestService, call: { account: number; callId: string }, times: number) {
    const endings: string[] = [];
    const requests = Array.from({ length: times }, async () => {
      const answer = await service.ask(call);
      endings.push(`${answer.body} ${answer.outcome}`);
      return answer;
    });
    return { endings, all: Promise.all(requests) };
  }

  const refusals = (service: TestService, reason: string): number =>
    service.logged.filter(({ fields }) => fields['reason'] === reason).length;

  it('for one call: the first 16 are held and the next are refused, while other calls ring', async (t) => {
    const service = await startTestService(t, { settings });
    const phone = await service.phone({ silent: true });
    const call = { account: phone.account, callId: randomUUID() };
    const { endings, all } = await askMany(service, call, 30);
    await until(() => endings.length === 14, 'those beyond the bound are refused');
    for (const ending of endings) assert.equal(ending, 'status=NAK overloaded');
    assert.equal(refusals(service, 'too many requests for this call'), 14);
    const other = await service.phone();
    assert.equal((await service.ask({ account: other.account })).outcome, 'ready');
    const [push] = service.world.google.received.list();
    assert.ok(push);
    await phone.answer(push);
    const ready = (await all).filter(({ outcome }) => outcome === 'ready');
    assert.equal(ready.length, 16);
    assert.equal(phone.pushes(), 1);
  });

  it('for many calls: together they take no more places than MAX_WAITING_CALLS, and give them back', async (t) => {
    const service = await startTestService(t, { settings });
    const phones = await Promise.all([1, 2, 3, 4].map(() => service.phone({ silent: true })));
    const groups: Awaited<ReturnType<typeof askMany>>[] = [];
    for (const { account } of phones) {
      groups.push(await askMany(service, { account, callId: randomUUID() }, 12));
      await until(() => phones[groups.length - 1]?.pushes() === 1, 'the phone is pushed');
    }
    const refused = () => groups.flatMap(({ endings }) => endings);
    await until(() => refused().length === 8, 'those beyond the bound are refused');
    for (const ending of refused()) assert.equal(ending, 'status=NAK overloaded');
    assert.equal(refusals(service, 'MAX_WAITING_CALLS'), 8);
    const late = await service.phone();
    assert.equal((await service.ask({ account: late.account })).outcome, 'overloaded');
    for (const push of service.world.google.received.list()) {
      await phones.find(({ token }) => token === push.token)?.answer(push);
    }
    for (const { all } of groups) await all;
    const hangUp = new AbortController();
    const call = { account: phones[0]?.account ?? 0, callId: randomUUID(), signal: hangUp.signal };
    const dropped = Array.from({ length: 16 }, () => service.ask(call));
    await until(async () => (await repeats(service, 'waiting')) >= 36 + 15, 'the requests are held');
    hangUp.abort();
    for (const each of dropped) await assert.rejects(each);
    await until(() => service.running.waiting() === 0, 'the call is over');
    const outcomes = await Promise.all(
      Array.from({ length: 40 }, () => service.ask({ account: late.account }).then(({ outcome }) => outcome)),
    );
    assert.deepEqual(new Set(outcomes), new Set(['ready']));
  });
});

it('the same call asked again after its time is a new call', async (t) => {
  const service = await startTestService(t);
  const phone = await service.phone({ silent: true });
  const call = { account: phone.account, callId: randomUUID() };
  for (const _ of [1, 2]) assert.equal((await service.ask(call)).outcome, 'timed-out');
  assert.equal(phone.pushes(), 2);
});

describe('a PBX that hangs up', { concurrency: true }, () => {
  const long = { settings: { APP_PUSH_ROUNDTRIP_WAIT: '20000', APP_PUSH_RESEND_INTERVAL: '300' } };

  it('one of two legs: the call goes on for the other', async (t) => {
    const service = await startTestService(t, long);
    const phone = await service.phone({ silent: true });
    const call = { account: phone.account, callId: randomUUID() };
    for (const leg of ['first', 'second'] as const) {
      const hangUp = new AbortController();
      const callId = `${call.callId}-${leg}`;
      const first = service.ask({ ...call, callId, ...(leg === 'first' ? { signal: hangUp.signal } : {}) });
      await until(() => service.running.waiting() === 1, 'the call waits');
      const joined = (leg === 'first' ? 0 : 1) + 1;
      const second = service.ask({ ...call, callId, ...(leg === 'second' ? { signal: hangUp.signal } : {}) });
      await until(async () => (await repeats(service, 'waiting')) === joined, 'the second leg has joined');
      hangUp.abort();
      await assert.rejects(leg === 'first' ? first : second);
      const pushes = phone.pushes();
      await until(() => phone.pushes() > pushes, 'the phone is still pushed');
      const push = service.world.google.received.list().at(-1);
      assert.ok(push);
      assert.equal((await phone.answer(push)).status, 202);
      assert.equal((await (leg === 'first' ? second : first)).outcome, 'ready');
      await until(() => service.running.waiting() === 0, 'the place is free');
    }
  });

  it('both legs: the call is over, and its phone is told 404', async (t) => {
    const service = await startTestService(t, long);
    const phone = await service.phone({ silent: true });
    const call = { account: phone.account, callId: randomUUID() };
    const hangUp = new AbortController();
    const legs = [1, 2].map(() => service.ask({ ...call, signal: hangUp.signal }));
    await until(async () => (await repeats(service, 'waiting')) === 1, 'the second leg has joined');
    await until(() => phone.pushes() > 0, 'the phone is pushed');
    hangUp.abort();
    for (const leg of legs) await assert.rejects(leg);
    await until(() => service.running.waiting() === 0, 'the place is free');
    const [push] = service.world.google.received.list();
    assert.ok(push);
    assert.equal((await phone.answer(push)).status, 404);
  });

  it('before its push could be sent: it never is', async (t) => {
    const service = await startTestService(t, long);
    const { google } = service.world;
    const [slow, phone] = [await service.phone(), await service.phone()];
    await until(() => google.sessions() === 1, 'the connection stands');
    google.script({ kind: 'stream-limit', streams: 1 }, { token: slow.token, times: 1 });
    assert.equal((await service.ask({ account: slow.account })).outcome, 'ready');
    const accepted = () => service.logged.some(({ message }) => message === 'push accepted');
    await until(accepted, 'the limit is known, which came before the answer to the push');
    google.script({ kind: 'delay', ms: 1_000 }, { token: slow.token, times: 1 });
    const first = service.ask({ account: slow.account });
    await until(() => google.requests.count() === 2, 'the only stream is taken');
    const hangUp = new AbortController();
    const second = service.ask({ account: phone.account, signal: hangUp.signal });
    await until(() => service.running.waiting() === 2, 'the second call waits');
    hangUp.abort();
    await assert.rejects(second);
    assert.equal((await first).outcome, 'ready');
    assert.equal((await service.ask({ account: slow.account })).outcome, 'ready');
    assert.ok(google.requests.list().every((request) => request.token === slow.token));
  });
});
