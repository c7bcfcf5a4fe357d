import assert from 'node:assert/strict';
import { it } from 'node:test';
import { until } from '../../harness/until.ts';
import { newAccount, startTestService } from '../helpers/test-service.ts';
import { type Answered, asJson, send } from './http-client.ts';
import { addMember, type Member, registration } from './members.ts';

/** Nothing but a real failure ends a question here. */
const PATIENT = { VG_API_TIMEOUT: '60000', APP_PUSH_ROUNDTRIP_WAIT: '20000' };
const TIMEOUT_MS = 1_000;
const UNAVAILABLE = '{"detail":"Service temporarily unavailable, try again later."}';
const NO_PERMISSION = '{"detail":"You do not have permission to perform this action."}';

function assertAnswer(answer: Answered, status: number, detail: string, what?: string): void {
  assert.deepEqual(
    [answer.status, answer.body, answer.contentType],
    [status, detail, 'application/json'],
    what,
  );
  assert.equal(answer.headers['www-authenticate'], status === 401 ? 'Basic' : undefined, what);
}

it('ACCOUNT_AUTH=voipgrid: the platform decides', async (t) => {
  const service = await startTestService(t, { settings: PATIENT });
  const { platform } = service.world;
  const register = (member: Member, authorization = member.basic) =>
    send(service.url, {
      path: '/api/android-device/',
      ...asJson(registration(member)),
      headers: { authorization },
    });

  await t.test('both schemes of the apps are right', async () => {
    const member = addMember(service);
    assertAnswer(await register(member, member.basic), 201, '""');
    assertAnswer(await register(member, member.token), 200, '""');
  });

  await t.test('an unknown credential is 401', async () => {
    assertAnswer(
      await register(addMember(service), 'Basic bm9ib2R5'),
      401,
      '{"detail":"Incorrect authentication credentials."}',
    );
  });

  await t.test("another user's account is 403", async () => {
    const [one, two] = [addMember(service), addMember(service)];
    assertAnswer(await register(one, two.basic), 403, NO_PERMISSION);
  });

  for (const question of ['profile', 'account'] as const) {
    for (const [status, expected, body] of [
      [401, 401, '{"detail":"Incorrect authentication credentials."}'],
      [403, 403, NO_PERMISSION],
      [201, 503, UNAVAILABLE],
      [204, 503, UNAVAILABLE],
      [400, 503, UNAVAILABLE],
      [404, 503, UNAVAILABLE],
      [429, 503, UNAVAILABLE],
      [500, 503, UNAVAILABLE],
      [502, 503, UNAVAILABLE],
    ] as const) {
      await t.test(`${status} for the ${question} is ${expected}`, async () => {
        platform.script({ kind: 'answer', status }, { question, times: 1 });
        assertAnswer(await register(addMember(service)), expected, body);
      });
    }

    await t.test(`the ${question} redirected, broken off, garbage or without its key is 503`, async () => {
      const asked = () => platform.requests('profile') + platform.requests('account');
      for (const kind of ['redirect', 'garbage', 'missing-key', 'disconnect'] as const) {
        platform.clearFaults();
        platform.script({ kind }, { question });
        const before = asked();
        assertAnswer(await register(addMember(service)), 503, UNAVAILABLE, kind);
        const most = question === 'profile' ? 1 : 2;
        assert.ok(asked() - before <= most, `${kind}: a redirect is not followed, nothing is asked again`);
      }
      platform.clearFaults();
    });
  }

  await t.test('an answer that is slow, but in time, is waited for', async () => {
    platform.script({ kind: 'delay', ms: 50 }, { times: 2 });
    assertAnswer(await register(addMember(service)), 201, '""');
  });

  await t.test('a user without an account is 403, with a phone and without', async () => {
    const phone = await service.phone();
    for (const member of [addMember(service, phone.account), addMember(service)]) {
      platform.script({ kind: 'null-account' }, { question: 'profile', times: 1 });
      assertAnswer(await register(member), 403, NO_PERMISSION);
    }
    for (const app_account of ['', false, 0]) {
      platform.script(
        { kind: 'answer', status: 200, body: JSON.stringify({ app_account }) },
        { question: 'profile', times: 1 },
      );
      assertAnswer(await register(addMember(service)), 403, NO_PERMISSION, JSON.stringify(app_account));
    }
  });

  await t.test('answers of another shape are 503', async () => {
    const shapes = [
      'null',
      '[]',
      '"text"',
      '5',
      '{"app_account":5}',
      '{"app_account":["/x/"]}',
      '',
      '{"app_acc',
    ];
    for (const body of shapes) {
      platform.script({ kind: 'answer', status: 200, body }, { question: 'profile', times: 1 });
      assertAnswer(await register(addMember(service)), 503, UNAVAILABLE, body);
    }
    for (const body of ['null', '[]', '{}', '<html>']) {
      platform.script({ kind: 'answer', status: 200, body }, { question: 'account', times: 1 });
      assertAnswer(await register(addMember(service)), 503, UNAVAILABLE, body);
    }
  });

  await t.test('account_id is compared as text, as a number or as text', async () => {
    const member = addMember(service);
    for (const [id, status] of [
      [String(member.account), 201],
      [member.account, 200],
      [`${member.account} `, 403],
      [null, 403],
      [newAccount(), 403],
    ] as const) {
      const body = JSON.stringify({ account_id: id });
      platform.script({ kind: 'answer', status: 200, body }, { question: 'account', times: 1 });
      assert.equal((await register(member)).status, status, body);
    }
  });

  await t.test(
    'while the platform is away apps are never logged out, and nothing is registered',
    async () => {
      const member = addMember(service);
      platform.script({ kind: 'answer', status: 503 });
      const fields = { ...registration(member), unique_key: 'k' };
      for (const name of ['android-device', 'apns-device', 'hangup-reason', 'log-metrics', 'check-in']) {
        const answer = await send(service.url, {
          path: `/api/${name}/`,
          ...asJson(fields),
          headers: { authorization: member.basic },
        });
        assertAnswer(answer, 503, UNAVAILABLE, name);
      }
      platform.clearFaults();
      assert.equal((await service.ask({ account: member.account })).outcome, 'no-device');
    },
  );

  await t.test('50 registrations in a row share connections', async () => {
    const before = platform.connections();
    for (let count = 0; count < 50; count += 1)
      assert.equal((await register(addMember(service))).status, 201);
    const made = platform.connections() - before;
    assert.ok(made <= 3, `${made} new connections for 50 registrations`);
  });

  await t.test('50 registrations at once are all answered', async () => {
    const answers = await Promise.all(Array.from({ length: 50 }, () => register(addMember(service))));
    assert.deepEqual([...new Set(answers.map((answer) => answer.status))], [201]);
  });
});

it('a platform that is too slow costs no app its registration for longer than VG_API_TIMEOUT', async (t) => {
  const service = await startTestService(t, {
    settings: { ...PATIENT, VG_API_TIMEOUT: String(TIMEOUT_MS) },
  });
  const { platform } = service.world;
  const register = (member: Member) =>
    send(service.url, {
      path: '/api/android-device/',
      ...asJson(registration(member)),
      headers: { authorization: member.basic },
    });

  const phone = await service.phone();
  for (const question of ['profile', 'account'] as const) {
    await t.test(`the ${question} that never comes is 503 within the time limit`, async () => {
      platform.script({ kind: 'hang' }, { question, times: 1 });
      const from = performance.now();
      assertAnswer(await register(addMember(service)), 503, UNAVAILABLE);
      const took = performance.now() - from;
      assert.ok(took >= TIMEOUT_MS * 0.9 && took < 15_000, `it took ${took} ms`);
    });
  }

  await t.test('one time limit holds for both questions together', async () => {
    platform.script({ kind: 'delay', ms: TIMEOUT_MS * 0.7 }, { times: 2 });
    assertAnswer(await register(addMember(service)), 503, UNAVAILABLE);
    platform.clearFaults();
  });

  await t.test('a platform that answers nobody stops neither calls nor answers', async () => {
    platform.script({ kind: 'hang' });
    const stuck = Array.from({ length: 20 }, () => register(addMember(service)));
    await until(() => platform.requests('profile') > 20, 'the platform is asked');
    assert.equal((await service.ask({ account: phone.account })).outcome, 'ready');
    for (const answer of await Promise.all(stuck)) assert.equal(answer.status, 503);
    platform.clearFaults();
  });
});

it('questions take at most a quarter of MAX_CONNECTIONS: beyond it, the app hears 503 at once', async (t) => {
  const settings = { VG_API_TIMEOUT: '60000', MAX_CONNECTIONS: '100', MAX_WAITING_CALLS: '50' };
  const service = await startTestService(t, { settings });
  const { platform } = service.world;
  platform.script({ kind: 'hang' });
  const hangUp = new AbortController();
  t.after(() => hangUp.abort());
  let unavailable = 0;
  const ask = async (member: Member): Promise<void> => {
    const answer = await fetch(`${service.url}/api/android-device/`, {
      method: 'POST',
      headers: { authorization: member.basic },
      body: new URLSearchParams(registration(member)),
      signal: hangUp.signal,
    });
    if (answer.status === 503) unavailable += 1;
  };
  for (let count = 0; count < 30; count += 1) ask(addMember(service)).catch(() => {});
  await until(() => unavailable === 5, 'those beyond the share are refused');
  const phone = await service.phone({ register: false });
  assert.equal((await service.ask({ account: phone.account })).outcome, 'no-device');
  assert.equal(unavailable, 5);
});

it('ACCOUNT_AUTH=none on loopback: nobody is asked, no header is needed', async (t) => {
  const service = await startTestService(t, { settings: { ACCOUNT_AUTH: 'none' } });
  const member = { account: newAccount(), basic: '', token: '' };
  for (const [headers, status] of [
    [{}, 201],
    [{ authorization: '' }, 200],
    [{ authorization: 'Basic anything' }, 200],
  ] as const) {
    const answer = await send(service.url, {
      path: '/api/android-device/',
      ...asJson(registration(member)),
      headers,
    });
    assert.equal(answer.status, status);
  }
  const unreadable = await send(service.url, { path: '/api/check-in/', type: 'text/plain', body: 'x' });
  assert.equal(unreadable.status, 415);
  const wrongMethod = await send(service.url, {
    method: 'PUT',
    path: '/api/check-in/',
    ...asJson({ sip_user_id: member.account }),
  });
  assert.equal(wrongMethod.status, 405);
  assert.equal(service.world.platform.requests('profile'), 0);
});
