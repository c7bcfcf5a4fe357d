import assert from 'node:assert/strict';
import { DatabaseSync } from 'node:sqlite';
import { it } from 'node:test';
import { until } from '../../harness/until.ts';
import { readConfig } from '../../src/config/config.ts';
import { newAccount, startTestService, type TestService } from '../helpers/test-service.ts';
import { asForm, asJson, send } from './http-client.ts';
import { addMember, registration } from './members.ts';

const OPEN = { ACCOUNT_AUTH: 'none', APP_PUSH_ROUNDTRIP_WAIT: '30000' };

function databaseOf(service: TestService): DatabaseSync {
  return new DatabaseSync(service.databaseUrl.slice('sqlite:'.length), { readOnly: true });
}

it('row 1: what is wrong with an incoming call is 4xx in plain text and never reads as ACK', async (t) => {
  const service = await startTestService(t);
  const account = String(newAccount());
  const rows = [
    { ...asForm({}), status: 400 },
    { ...asForm({ sip_user_id: 'status=ACK', phonenumber: 'status=ACK' }), status: 400 },
    { ...asForm({ sip_user_id: account, phonenumber: 'status=ACK\n' }), status: 200 },
    { type: 'application/json', body: '{"status=ACK"', status: 400 },
    { type: 'status=ACK', body: 'status=ACK', status: 415 },
    { method: 'GET', status: 405 },
    { method: 'OPTIONS', status: 405 },
    { type: 'application/json', body: '{}', headers: { accept: 'application/json' }, status: 400 },
    { type: 'application/json', body: 'status=ACK'.repeat(10_000), status: 413 },
    { path: '/api/incoming-call/%', ...asForm({}), status: 400 },
  ];
  for (const { status, ...asked } of rows) {
    const answer = await send(service.url, { path: '/api/incoming-call/', ...asked });
    assert.deepEqual(
      [answer.status, answer.contentType],
      [status, 'text/plain; charset=utf-8'],
      JSON.stringify(asked),
    );
    assert.ok(!answer.body.includes('status=ACK'), answer.body);
  }
});

it('row 11: asking for the health writes nothing to the database', async (t) => {
  const service = await startTestService(t);
  const database = databaseOf(service);
  t.after(() => database.close());
  const version = () => database.prepare('pragma data_version').get()?.['data_version'];
  const probe = async (): Promise<void> => {
    for (const [url, path] of [
      [service.url, '/healthz'],
      [service.url, '/readyz'],
      [service.running.metricsUrl, '/healthz'],
      [service.running.metricsUrl, '/readyz'],
      [service.running.metricsUrl, '/metrics'],
    ] as const) {
      assert.equal((await send(url, { method: 'GET', path })).status, 200, path);
    }
  };
  const probesLeaveItAlone = async (): Promise<boolean> => {
    const before = version();
    await probe();
    return version() === before;
  };
  // A service that has just started may still write on its own account, so the first look need not be the quiet one.
  await until(probesLeaveItAlone, 'a look at the health leaves the database as it was');
  const before = version();
  const member = addMember(service);
  const headers = { authorization: member.basic };
  await send(service.url, { path: '/api/android-device/', ...asJson(registration(member)), headers });
  assert.notEqual(version(), before, 'a registration does move the version');
});

it('row 12: a user without account is 403 and a platform that is away 503, without a phone too', async (t) => {
  const service = await startTestService(t, { settings: { VG_API_TIMEOUT: '2000' } });
  const member = addMember(service);
  const checkIn = () =>
    send(service.url, {
      path: '/api/check-in/',
      ...asJson({ sip_user_id: member.account }),
      headers: { authorization: member.basic },
    });
  for (const [fault, status] of [
    [{ kind: 'null-account' }, 403],
    [{ kind: 'garbage' }, 503],
    [{ kind: 'hang' }, 503],
    [{ kind: 'disconnect' }, 503],
  ] as const) {
    service.world.platform.script(fault, { times: 1 });
    assert.equal((await checkIn()).status, status, fault.kind);
    service.world.platform.clearFaults();
  }
});

it('row 13: numbers with hyphens, suppressed numbers and SIP users wake the phone, as they are sent', async (t) => {
  const service = await startTestService(t, { settings: OPEN });
  const numbers = [
    '012-345',
    '+31 (0)20–1234',
    'anonymous',
    'xxxx',
    'x',
    '*21',
    '#31#',
    'john.doe',
    'Zoë',
    '１２３',
  ];
  for (const number of numbers) {
    const phone = await service.phone();
    const typed = asForm({ sip_user_id: String(phone.account), phonenumber: number });
    const answer = await send(service.url, { path: '/api/incoming-call/', ...typed });
    assert.deepEqual([answer.status, answer.body], [200, 'status=ACK'], number);
    const push = phone.steps.find((step) => step.kind === 'push-received');
    assert.equal(push?.kind === 'push-received' && push.push.payload['phonenumber'], number);
  }
});

it('row 14: paths without their slash are served and never redirected', async (t) => {
  const service = await startTestService(t);
  for (const method of ['POST', 'DELETE']) {
    for (const platform of ['apns', 'gcm', 'android']) {
      const answer = await send(service.url, { method, path: `/api/${platform}-device` });
      assert.deepEqual([answer.status, answer.headers.location], [401, undefined]);
    }
  }
});

it('row 17: TESTING and DEBUG switch nothing off, whatever they are set to', async (t) => {
  for (const value of ['1', 'true', 'False', '0']) {
    const service = await startTestService(t, { settings: { TESTING: value, DEBUG: value } });
    const member = addMember(service);
    const ask = (headers: Readonly<Record<string, string>>) =>
      send(service.url, { path: '/api/android-device/', ...asJson(registration(member)), headers });
    assert.equal((await ask({})).status, 401);
    assert.equal((await ask({ authorization: 'Basic wrong' })).status, 401);
  }
  const report = readConfig({ env: { TESTING: '1', DEBUG: '1' }, readFile: () => '', openFiles: 20_000 });
  assert.deepEqual(report.warnings.map((line) => line.split(' ')[0]).sort(), ['DEBUG', 'TESTING']);
});

it('row 18: response_api is always absolute and ends in /api/call-response/', async (t) => {
  for (const [settings, expected] of [
    [{}, undefined],
    [{ APP_API_URL: 'https://push.example.org' }, 'https://push.example.org/api/call-response/'],
    [{ APP_API_URL: 'http://push.example.org:8443/' }, 'http://push.example.org:8443/api/call-response/'],
  ] as const) {
    const service = await startTestService(t, { settings: { ...OPEN, ...settings } });
    for (const kind of ['ios', 'android'] as const) {
      const phone = await service.phone({ kind, silent: true });
      const waiting = service.ask({ account: phone.account, callId: phone.token });
      const source = kind === 'ios' ? service.world.apple : service.world.google;
      await until(() => source.received.count() > 0, 'the phone is pushed');
      const push = source.received.list()[0];
      assert.equal(push?.payload['response_api'], expected ?? `${service.url}/api/call-response/`);
      await send(service.url, { path: '/api/call-cancelled/', ...asForm({ call_id: phone.token }) });
      await waiting;
    }
  }
});

it('row 21: an emoji in the name of a device is kept', async (t) => {
  const service = await startTestService(t, { settings: OPEN });
  const account = newAccount();
  const name = 'Zoë’s 📱👩‍💻 فون';
  for (const write of [asForm, asJson]) {
    const fields = registration({ account, basic: '', token: '' }, { name });
    const answer = await send(service.url, { path: '/api/android-device/', ...write(fields) });
    assert.ok(answer.status === 200 || answer.status === 201);
    const database = databaseOf(service);
    const row = database.prepare('select name from devices where account = ?').get(account);
    database.close();
    assert.equal(row?.['name'], name);
  }
});
