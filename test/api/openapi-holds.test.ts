import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { Check } from 'typebox/value';
import { newAccount, startTestService } from '../helpers/test-service.ts';
import { until } from '../helpers/until.ts';
import { type Answered, type Asked, asForm, asJson, asMultipart, send } from './http-client.ts';
import { addMember, registration } from './members.ts';

type Json = Readonly<Record<string, unknown>>;

function isJson(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A part of the document; fails where it is not there. */
function part(value: unknown, ...path: readonly string[]): Json {
  let at = value;
  for (const name of path) {
    assert.ok(isJson(at), path.join(' > '));
    at = at[name];
  }
  assert.ok(isJson(at), path.join(' > '));
  return at;
}

/** Holds an answer against what the document says of the operation. */
function assertDocumented(document: unknown, path: string, asked: Asked, answer: Answered): void {
  const operation = part(document, 'paths', path, (asked.method ?? 'POST').toLowerCase());
  const documented = part(operation, 'responses', String(answer.status));
  for (const header of Object.keys(answer.headers)) {
    if (!header.startsWith('x-') && header !== 'www-authenticate' && header !== 'server-timing') continue;
    const names = Object.keys(part(documented, 'headers')).map((name) => name.toLowerCase());
    assert.ok(names.includes(header), `${path} ${answer.status}: ${header}`);
  }
  const content = documented['content'];
  if (content === undefined) {
    assert.deepEqual([answer.contentType, answer.body], [undefined, ''], path);
    return;
  }
  const type = answer.contentType?.split(';')[0] ?? '';
  const schema = part(content, type, 'schema');
  const body: unknown = type === 'application/json' ? JSON.parse(answer.body) : answer.body;
  assert.ok(Check(schema, body), `${path} ${answer.status}: ${answer.body}`);
}

test('/openapi.json is served and says what the service does', async (t) => {
  const service = await startTestService(t, { settings: { APP_PUSH_ROUNDTRIP_WAIT: '30000' } });
  const served = await send(service.url, { method: 'GET', path: '/openapi.json' });
  assert.deepEqual([served.status, served.contentType], [200, 'application/json']);
  const document: unknown = JSON.parse(served.body);
  assert.equal(part(document)['openapi'], '3.1.1');

  const phone = await service.phone();
  const silent = await service.phone({ silent: true });
  const member = addMember(service, phone.account);
  const stranger = addMember(service);
  const headers = { authorization: member.basic };
  const account = String(phone.account);
  const call = { sip_user_id: account, phonenumber: '020' };
  const unreadable = { type: 'application/json', body: '{' };
  const ofNoType = { type: 'text/plain', body: 'x' };
  const huge = { type: 'application/json', body: 'x'.repeat(70_000) };

  const check = async (path: string, status: number, asked: Omit<Asked, 'path'>): Promise<void> => {
    const whole = { path, ...asked };
    const answer = await send(service.url, whole);
    assert.equal(answer.status, status, `${path} ${answer.body}`);
    assertDocumented(document, path, whole, answer);
  };

  await t.test('a PBX', async () => {
    for (const write of [asForm, asJson, asMultipart]) await check('/api/incoming-call/', 200, write(call));
    await check('/api/incoming-call/', 200, { ...asForm(call), headers: { 'x-wake-trace': '1' } });
    const nobody = { ...call, sip_user_id: String(newAccount()) };
    await check('/api/incoming-call/', 200, asForm(nobody));
    await check('/api/incoming-call/', 200, asForm({ ...nobody, outcome_in_body: 'true' }));
    const callId = randomUUID();
    const waiting = service.ask({ account: silent.account, callId });
    await until(() => service.app.waiting() === 1, 'the call waits');
    await check('/api/call-cancelled/', 200, asJson({ call_id: callId }));
    await waiting;
    await check('/api/call-cancelled/', 404, asJson({ call_id: callId }));
    for (const path of ['/api/incoming-call/', '/api/call-cancelled/']) {
      await check(path, 400, asJson({}));
      await check(path, 400, unreadable);
      await check(path, 413, huge);
      await check(path, 415, ofNoType);
      await check(path, 403, { ...asForm({}), headers: { 'x-forwarded-for': '127.0.0.1' } });
    }
  });

  await t.test('apps', async () => {
    await check('/api/call-response/', 404, asForm({ unique_key: 'k', message_start_time: '1' }));
    const callId = randomUUID();
    const waiting = service.ask({ account: silent.account, callId });
    await until(() => service.app.waiting() === 1, 'the call waits');
    await check(
      '/api/call-response/',
      202,
      asJson({ unique_key: callId, message_start_time: 1, available: true }),
    );
    await waiting;
    await check('/api/call-response/', 400, asJson({}));
    const device = '/api/android-device/';
    await check(device, 200, { ...asJson(registration(member)), headers });
    await check(device, 404, { ...asJson(registration(member, { app: 'unknown' })), headers });
    const theirs = { authorization: stranger.basic };
    await check(device, 201, { ...asJson(registration(stranger)), headers: theirs });
    await check(device, 200, { method: 'DELETE', ...asJson(registration(stranger)), headers: theirs });
    await check(device, 404, { method: 'DELETE', ...asJson(registration(stranger)), headers: theirs });
    const report = asJson({ sip_user_id: account, unique_key: 'k', reason: 'r' });
    const without = asJson({ sip_user_id: stranger.account, unique_key: 'k' });
    for (const path of ['/api/hangup-reason/', '/api/log-metrics/', '/api/check-in/']) {
      await check(path, 200, { ...report, headers });
      await check(path, path === '/api/log-metrics/' ? 200 : 404, { ...without, headers: theirs });
    }
    for (const path of [
      '/api/apns-device/',
      '/api/gcm-device/',
      device,
      '/api/hangup-reason/',
      '/api/check-in/',
    ]) {
      await check(path, 401, report);
      await check(path, 401, { ...report, headers: { authorization: 'Basic wrong' } });
      await check(path, 403, { ...report, headers: theirs });
      await check(path, 400, { ...unreadable, headers });
      await check(path, 413, { ...huge, headers });
      await check(path, 415, { ...ofNoType, headers });
      service.world.platform.script({ kind: 'answer', status: 500 }, { times: 1 });
      await check(path, 503, { ...report, headers });
    }
  });

  await t.test('operators', async () => {
    for (const path of ['/healthz', '/readyz', '/openapi.json']) await check(path, 200, { method: 'GET' });
  });
});
