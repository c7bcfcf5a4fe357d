import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { DatabaseSync } from 'node:sqlite';
import { it } from 'node:test';
import { until } from '../../harness/until.ts';
import { SANDBOX_APPS } from '../../src/cli/sandbox/sandbox-apps.ts';
import { ALL_ENDPOINTS, isPbxEndpoint } from '../../src/http/wire/paths.ts';
import { startClientScene } from '../helpers/client-scene.ts';
import { connectRaw } from '../helpers/raw-http.ts';
import { newAccount, startTestService, type TestService } from '../helpers/test-service.ts';
import { type Documented, readDocument } from './documented.ts';
import { type Answered, type Asked, asForm, asJson, asMultipart, send } from './http-client.ts';
import { addMember, type Member, registration } from './members.ts';
import { rawRequest } from './raw-socket.ts';

const PBX_PATHS = ['/api/incoming-call/', '/api/call-cancelled/'];
const DEVICE_PATHS = ['/api/apns-device/', '/api/gcm-device/', '/api/android-device/'];
const REPORT_PATHS = ['/api/hangup-reason/', '/api/log-metrics/', '/api/check-in/'];
const OPERATOR_PATHS = ['/healthz', '/readyz', '/openapi.json'];
/** The operations that need an account's credential. */
const ACCOUNT_OPERATIONS = [
  ...DEVICE_PATHS.flatMap((path) => [
    { method: 'POST', path },
    { method: 'DELETE', path },
  ]),
  ...REPORT_PATHS.map((path) => ({ method: 'POST', path })),
];
const ALL_OPERATIONS = ALL_ENDPOINTS.flatMap(({ path, methods }) =>
  methods.map((method) => ({ method, path })),
);

const UNREADABLE = { type: 'application/json', body: '{' };
const OF_NO_TYPE = { type: 'text/plain', body: 'x' };
const HUGE = { type: 'application/json', body: 'x'.repeat(70_000) };

/** Sends a request, expects a status, and compares the answer with the document. */
type Check = (status: number, asked: Asked) => Promise<void>;

function checker(service: Pick<TestService, 'url'>, document: Documented): Check {
  return async (status, asked) => {
    const answer = await send(service.url, asked);
    assert.equal(answer.status, status, `${asked.method ?? 'POST'} ${asked.path}: ${answer.body}`);
    document.check(asked, answer);
  };
}

/** Sends so many requests at once on one connection that the service gives up; the last answer. */
async function pipeline(url: string, { method = 'POST', path }: Asked): Promise<Answered> {
  const connection = await connectRaw(url);
  connection.write(rawRequest(method, path, ['Authorization: x'], '').repeat(40));
  for (;;) {
    const { status, headers, body } = await connection.read();
    if (status !== 503) continue;
    connection.close();
    return { status, headers: Object.fromEntries(headers), body, contentType: headers.get('content-type') };
  }
}

async function checkPbx(service: TestService, check: Check, account: number, silent: number): Promise<void> {
  const path = '/api/incoming-call/';
  const call = { sip_user_id: String(account), phonenumber: '020' };
  for (const write of [asForm, asJson, asMultipart]) await check(200, { path, ...write(call) });
  await check(200, { path, ...asForm(call), headers: { 'x-wake-trace': '1' } });
  const nobody = { ...call, sip_user_id: String(newAccount()) };
  await check(200, { path, ...asForm(nobody) });
  await check(200, { path, ...asForm({ ...nobody, outcome_in_body: 'true' }) });
  const callId = randomUUID();
  const waiting = service.ask({ account: silent, callId });
  await until(() => service.running.waiting() === 1, 'the call waits');
  await check(200, { path: '/api/call-cancelled/', ...asJson({ call_id: callId }) });
  await waiting;
  await check(404, { path: '/api/call-cancelled/', ...asJson({ call_id: callId }) });
  for (const path of PBX_PATHS) {
    await check(400, { path, ...asJson({}) });
    await check(400, { path, ...UNREADABLE });
    await check(403, { path, ...asForm({}), headers: { 'x-forwarded-for': '127.0.0.1' } });
    await check(413, { path, ...HUGE });
    await check(415, { path, ...OF_NO_TYPE });
  }
}

async function checkAnswers(service: TestService, check: Check, silent: number): Promise<void> {
  const path = '/api/call-response/';
  await check(404, { path, ...asForm({ unique_key: 'k', message_start_time: '1' }) });
  const callId = randomUUID();
  const waiting = service.ask({ account: silent, callId });
  await until(() => service.running.waiting() === 1, 'the call waits');
  await check(202, { path, ...asJson({ unique_key: callId, message_start_time: 1, available: true }) });
  await waiting;
  await check(400, { path, ...asJson({}) });
  await check(413, { path, ...HUGE });
  await check(415, { path, ...OF_NO_TYPE });
}

async function checkDevices(check: Check, [one, other]: readonly [Member, Member]): Promise<void> {
  for (const path of DEVICE_PATHS) {
    const fields = asJson(registration(other));
    const headers = { authorization: other.basic };
    await check(201, { path, ...fields, headers });
    await check(200, { path, ...fields, headers });
    await check(200, { method: 'DELETE', path, ...fields, headers });
    await check(404, { method: 'DELETE', path, ...fields, headers });
    const unknown = asJson(registration(one, { app: 'unknown' }));
    await check(404, { path, ...unknown, headers: { authorization: one.basic } });
  }
}

async function checkAccounts(service: TestService, check: Check, members: readonly [Member, Member]) {
  const [one, other] = members;
  const report = asJson({ ...registration(one), unique_key: 'k', reason: 'r' });
  const right = { authorization: one.basic };
  for (const operation of ACCOUNT_OPERATIONS) {
    const asked = { ...operation, ...report };
    await check(401, asked);
    await check(401, { ...asked, headers: { authorization: 'Basic wrong' } });
    await check(403, { ...asked, headers: { authorization: other.basic } });
    await check(400, { ...operation, ...UNREADABLE, headers: right });
    await check(413, { ...operation, ...HUGE, headers: right });
    await check(415, { ...operation, ...OF_NO_TYPE, headers: right });
    service.world.platform.script({ kind: 'answer', status: 500 }, { times: 1 });
    await check(503, { ...asked, headers: right });
  }
  const without = asJson({ sip_user_id: other.account, unique_key: 'k' });
  for (const path of REPORT_PATHS) {
    await check(200, { path, ...report, headers: right });
    const status = path === '/api/log-metrics/' ? 200 : 404;
    await check(status, { path, ...without, headers: { authorization: other.basic } });
  }
}

async function checkProtocol(service: TestService, check: Check, document: Documented, member: Member) {
  const headers = { authorization: member.basic };
  for (const operation of ALL_OPERATIONS) {
    await check(417, { ...operation, headers: { expect: 'a-miracle' } });
    await check(431, { ...operation, headers: { 'x-long': 'x'.repeat(20_000) } });
    document.check(operation, await pipeline(service.url, operation));
  }
  for (const { path, name } of ALL_ENDPOINTS) {
    const body = isPbxEndpoint(name) ? asForm({}) : asJson({ sip_user_id: member.account });
    for (const method of ['PUT', 'OPTIONS']) await check(405, { method, path, ...body, headers });
  }
  for (const path of OPERATOR_PATHS) {
    await check(200, { method: 'GET', path });
    await check(400, { method: 'GET', path, headers: { host: 'one, two' } });
  }
}

/** Limits of 1: the second failure is 429. */
async function checkLimits(check: Check, member: Member): Promise<void> {
  const answer = { path: '/api/call-response/', ...asForm({ unique_key: 'k', message_start_time: '1' }) };
  await check(404, answer);
  await check(429, answer);
  const refused = { ...asForm({}), headers: { 'x-forwarded-for': '127.0.0.1' } };
  await check(403, { path: '/api/incoming-call/', ...refused });
  for (const path of PBX_PATHS) await check(429, { path, ...refused });
  const wrong = { ...asJson(registration(member)), headers: { authorization: 'Basic wrong' } };
  await check(401, { path: '/api/check-in/', ...wrong });
  for (const operation of ACCOUNT_OPERATIONS) await check(429, { ...operation, ...wrong });
}

it('every answer that /openapi.json has is one that the service gives, and as it is described', async (t) => {
  const service = await startClientScene(t, [{ platform: 'gcm', appId: SANDBOX_APPS.android }], {
    LIMIT_FAILED_AUTH: '0',
    LIMIT_REGISTRATIONS: '0',
  });
  const served = await send(service.url, { method: 'GET', path: '/openapi.json' });
  assert.deepEqual([served.status, served.contentType], [200, 'application/json']);
  const document = readDocument(served.body);
  const check = checker(service, document);
  const phone = await service.phone();
  const silent = await service.phone({ silent: true });
  const members = [addMember(service, phone.account), addMember(service)] as const;

  await t.test('PBXs', () => checkPbx(service, check, phone.account, silent.account));
  await t.test('answers', () => checkAnswers(service, check, silent.account));
  await t.test('devices', () => checkDevices(check, members));
  await t.test('accounts', () => checkAccounts(service, check, members));
  await t.test('any endpoint', () => checkProtocol(service, check, document, members[0]));
  await t.test('limits', async (sub) => {
    const strict = await startTestService(sub, {
      settings: { LIMIT_FAILED_AUTH: '1', LIMIT_UNKNOWN_ANSWERS: '1' },
    });
    await checkLimits(checker(strict, document), addMember(strict));
  });
  await t.test('an instance that cannot serve calls', async () => {
    const database = new DatabaseSync(service.databaseUrl.slice('sqlite:'.length));
    database.exec('drop table devices');
    database.close();
    await check(503, { method: 'GET', path: '/readyz' });
  });
  // 408 takes 10 s: hostile-slowness.test.ts.
  assert.deepEqual(
    document.unseen().filter((response) => !response.endsWith(' 408')),
    [],
  );
});
