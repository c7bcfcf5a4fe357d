import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { IncomingHttpHeaders } from 'node:http';
import { describe, it, type TestContext } from 'node:test';
import { until } from '../../harness/until.ts';
import { SANDBOX_APPS } from '../../src/cli/sandbox/sandbox-apps.ts';
import { asJson, send } from '../api/http-client.ts';
import { addMember, type Member } from '../api/members.ts';
import { pushTokenOf } from '../helpers/client-scene.ts';
import { startTestService, type TestService } from '../helpers/test-service.ts';

/** Cells of the rows of a table in docs/app-developers.md, by what is in their first cell. */
type Rows = ReadonlyMap<string, readonly string[]>;

function table(heading: string, firstColumn: string): Rows {
  const [, section = ''] = readFileSync('docs/app-developers.md', 'utf8').split(`### ${heading}\n`);
  const [, rest = ''] = (section.split(/^##/m)[0] ?? '').split(`| ${firstColumn} |`);
  const rows = rest.split('\n\n')[0]?.split('\n').slice(2) ?? [];
  assert.ok(rows.length > 0, `docs/app-developers.md: "${heading}" has no table "${firstColumn}"`);
  return new Map(
    rows.map((row) => {
      const [name = '', ...cells] = row
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim());
      return [name.replaceAll('`', ''), cells];
    }),
  );
}

/** The values in an object by their dotted path; an empty object counts as a value. */
function flat(value: object, prefix = ''): Map<string, unknown> {
  return new Map(
    Object.entries(value).flatMap(([name, inner]): [string, unknown][] =>
      typeof inner === 'object' && inner !== null && Object.keys(inner).length > 0
        ? [...flat(inner, `${prefix}${name}.`)]
        : [[prefix + name, inner]],
    ),
  );
}

/** `placeholders` are filled in where a documented value is in code quotes; other values are in words. */
function assertValues(
  documented: Rows,
  sent: ReadonlyMap<string, unknown>,
  placeholders: Readonly<Record<string, string>>,
): void {
  assert.deepEqual([...sent.keys()].sort(), [...documented.keys()].sort());
  for (const [name, [value = '']] of documented) {
    const quoted = /^`([^`]+)`$/.exec(value)?.[1];
    if (quoted === undefined) continue;
    const expected = quoted.replace(/<(\w+)>/, (_all, key: string) => placeholders[key] ?? 'unknown');
    assert.equal(sent.get(name), expected, name);
  }
}

function assertFields(documented: Rows, payload: object): void {
  const types = [...flat(payload)].map(([name, value]) => [name, typeof value]);
  assert.deepEqual(types.sort(), [...documented].map(([name, [type]]) => [name, type]).sort());
}

/** The second push of a call has other values than the first exactly where the document says so. */
function assertResend(documented: Rows, first: object, second: object): void {
  const again = flat(second);
  const changed = [...flat(first)].filter(
    ([name, value]) => JSON.stringify(again.get(name)) !== JSON.stringify(value),
  );
  const expected = [...documented].filter(([, [, resend]]) => resend === 'new');
  assert.deepEqual(changed.map(([name]) => name).sort(), expected.map(([name]) => name).sort());
}

/** Headers as HTTP/2 carries them, without those that say nothing to the app. */
function ownHeaders(headers: IncomingHttpHeaders): Map<string, unknown> {
  return new Map(
    Object.entries(headers).filter(([name]) => name === ':path' || /^(apns-|authorization)/.test(name)),
  );
}

const SETTINGS = { APP_PUSH_ROUNDTRIP_WAIT: '20000', APP_PUSH_RESEND_INTERVAL: '200' };

async function register(
  { url }: TestService,
  path: string,
  member: Member,
  fields: Readonly<Record<string, string>>,
): Promise<void> {
  const body = { sip_user_id: member.account, app: SANDBOX_APPS.apns, ...fields };
  const answer = await send(url, { path, ...asJson(body), headers: { authorization: member.basic } });
  assert.ok(answer.status === 200 || answer.status === 201, `${answer.status} ${answer.body}`);
}

/** Calls until two pushes have come, then hangs up. */
async function callTwice(service: TestService, account: number, pushes: () => number): Promise<void> {
  const hangUp = new AbortController();
  const callId = randomUUID();
  const call = service
    .ask({ account, callId, callerId: 'Front desk', signal: hangUp.signal })
    .catch(() => {});
  await until(() => pushes() >= 2, 'two pushes have come');
  hangUp.abort();
  await call;
}

/** A phone registers, then another one of the same user. */
async function takeOver(t: TestContext, path: string, fields: Readonly<Record<string, string>>) {
  const service = await startTestService(t);
  const member = addMember(service);
  await register(service, path, member, { ...fields, name: 'one' });
  const platform = path.includes('apns') ? 'apns' : 'android';
  await register(service, path, member, { token: pushTokenOf(platform), name: 'two' });
  return service;
}

describe('docs/app-developers.md has every header and field of every push, and no other', () => {
  it('a call through APNs', async (t) => {
    const service = await startTestService(t, { settings: SETTINGS });
    const member = addMember(service);
    const token = pushTokenOf('apns');
    await register(service, '/api/apns-device/', member, { token });
    const { received, requests } = service.world.apple;
    await callTwice(service, member.account, () => received.count());
    const heading = 'A call through APNs';
    const [request] = requests.list();
    assertValues(table(heading, 'Header'), ownHeaders(request?.headers ?? {}), {
      token,
      app: SANDBOX_APPS.apns,
    });
    const [first, second] = received.list();
    assert.ok(first && second);
    assertFields(table(heading, 'Field'), first.payload);
    assertResend(table(heading, 'Field'), first.payload, second.payload);
  });

  it('a call through FCM', async (t) => {
    const service = await startTestService(t, { settings: SETTINGS });
    const member = addMember(service);
    const token = pushTokenOf('android');
    await register(service, '/api/android-device/', member, { token });
    const { received, requests } = service.world.google;
    await callTwice(service, member.account, () => received.count());
    const heading = 'A call through FCM';
    assertValues(table(heading, 'Message'), messageOf(requests.list()[0]?.body), { token });
    const [first, second] = received.list();
    assert.ok(first && second);
    assertFields(table(heading, 'Field'), first.payload);
    assertResend(table(heading, 'Field'), first.payload, second.payload);
  });

  for (const { heading, fields } of [
    {
      heading: 'A notice through APNs, as an alert',
      fields: { push_profile: 'once', remote_notification_token: pushTokenOf('apns') },
    },
    { heading: 'A notice through APNs, as a VoIP push', fields: {} },
  ]) {
    it(heading, async (t) => {
      const token = pushTokenOf('apns');
      const service = await takeOver(t, '/api/apns-device/', { token, ...fields });
      const { received, requests } = service.world.apple;
      await until(() => received.count() > 0, 'the old phone is notified');
      const placeholders = { token, app: SANDBOX_APPS.apns, ...fields };
      assertValues(table(heading, 'Header'), ownHeaders(requests.list()[0]?.headers ?? {}), placeholders);
      assertFields(table(heading, 'Field'), received.list()[0]?.payload ?? {});
    });
  }

  it('a notice through FCM', async (t) => {
    const token = pushTokenOf('android');
    const service = await takeOver(t, '/api/android-device/', { token });
    const { received, requests } = service.world.google;
    await until(() => received.count() > 0, 'the old phone is notified');
    const heading = 'A notice through FCM';
    assertValues(table(heading, 'Message'), messageOf(requests.list()[0]?.body), { token });
    const payload = received.list()[0]?.payload ?? {};
    assertFields(table(heading, 'Field'), payload);
    assert.ok(readFileSync('docs/app-developers.md', 'utf8').includes(`\`${payload['message']}\``));
  });
});

/** What stands in a message beside its data. */
function messageOf(body: unknown): Map<string, unknown> {
  assert.ok(typeof body === 'object' && body !== null && 'message' in body);
  assert.ok(typeof body.message === 'object' && body.message !== null);
  return new Map([...flat(body.message)].filter(([name]) => !name.startsWith('data.')));
}
