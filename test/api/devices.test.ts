import assert from 'node:assert/strict';
import { DatabaseSync } from 'node:sqlite';
import { it } from 'node:test';
import { SANDBOX_APPS } from '../../src/cli/sandbox/sandbox-apps.ts';
import { startTestService } from '../helpers/test-service.ts';
import { type Answered, asForm, asJson, asMultipart, send, type TypedBody } from './http-client.ts';
import { addMember, type Member, registration } from './members.ts';

const JSON_TYPE = 'application/json';
const MALFORMED = '{"detail":"Malformed request."}';
const NOT_FOUND = '{"detail":"Not found."}';

function assertJson(answer: Answered, status: number, body: string, what?: string): void {
  assert.deepEqual([answer.status, answer.contentType, answer.body], [status, JSON_TYPE, body], what);
}

it('devices', async (t) => {
  const service = await startTestService(t);
  const device = (method: string, member: Member, typed: TypedBody, path = '/api/android-device/') =>
    send(service.url, { method, path, ...typed, headers: { authorization: member.token } });

  await t.test('201 "" the first time, 200 "" after that, in each kind of body', async () => {
    for (const write of [asForm, asJson, asMultipart]) {
      const member = addMember(service);
      const typed = write(
        registration(member, { name: 'Zoë’s phone', os_version: '', remote_logging_id: 'r' }),
      );
      assertJson(await device('POST', member, typed), 201, '""', write.name);
      assertJson(await device('POST', member, typed), 200, '""', write.name);
      assert.equal((await device('DELETE', member, typed)).status, 200);
    }
  });

  await t.test('what became of each registration and removal is counted', async () => {
    const results = ['created', 'updated', 'removed', 'not-found'];
    const counts = () =>
      Promise.all(
        results.map((result) =>
          service.metric(`vialer_middleware_registrations_total{platform="android",result="${result}"}`),
        ),
      );
    const before = await counts();
    const member = addMember(service);
    const typed = asForm(registration(member));
    for (const method of ['POST', 'POST', 'POST', 'DELETE', 'DELETE', 'DELETE', 'DELETE'])
      await device(method, member, typed);
    const after = await counts();
    assert.deepEqual(
      after.map((count, index) => count - (before[index] ?? 0)),
      [1, 2, 1, 3],
    );
  });

  await t.test(
    'each platform has its endpoint, also without the slash and with anything behind it',
    async () => {
      for (const [platform, token] of [
        ['apns', 'a'.repeat(64)],
        ['android', 'x'],
      ] as const) {
        for (const path of [
          `/api/${platform}-device/`,
          `/api/${platform}-device`,
          `/api/${platform}-device/x/`,
        ]) {
          const member = addMember(service);
          const fields = registration(member, { token });
          assertJson(await device('POST', member, asForm(fields), path), 201, '""', path);
          assertJson(await device('DELETE', member, asForm(fields), path), 200, '""', path);
          assertJson(await device('DELETE', member, asForm(fields), path), 404, NOT_FOUND, path);
        }
      }
      const member = addMember(service);
      assertJson(
        await device('POST', member, asForm(registration(member)), '/api/gcm-device/'),
        404,
        NOT_FOUND,
      );
    },
  );

  await t.test('an unknown app is 404, to the letter', async () => {
    const member = addMember(service);
    for (const app of [
      'com.example.other',
      SANDBOX_APPS.android.toUpperCase(),
      `${SANDBOX_APPS.android}.voip`,
    ]) {
      assertJson(await device('POST', member, asJson(registration(member, { app }))), 404, NOT_FOUND, app);
    }
  });

  await t.test('a registration without the optional fields forgets them', async () => {
    const member = addMember(service);
    const full = registration(member, {
      name: 'n',
      os_version: '1',
      client_version: '2',
      remote_logging_id: '3',
      push_profile: 'once',
      sandbox: 'true',
      remote_notification_token: 'abc',
    });
    await device('POST', member, asForm(full));
    await device('POST', member, asForm(registration(member)));
    const database = new DatabaseSync(service.databaseUrl.slice('sqlite:'.length), { readOnly: true });
    const row = database.prepare('select * from devices where account = ?').get(member.account);
    database.close();
    assert.ok(row);
    for (const column of [
      'name',
      'os_version',
      'client_version',
      'remote_logging_id',
      'push_profile',
      'sandbox',
      'remote_notification_token',
    ]) {
      assert.equal(row[column], null, column);
    }
  });

  await t.test('an account moves between platforms; one token may serve several accounts', async () => {
    const [one, two] = [addMember(service), addMember(service)];
    assert.equal((await device('POST', one, asForm(registration(one, { token: 'shared' })))).status, 201);
    assert.equal((await device('POST', two, asForm(registration(two, { token: 'shared' })))).status, 201);
    const ios = asForm(registration(one, { token: 'b'.repeat(64) }));
    assert.equal((await device('POST', one, ios, '/api/apns-device/')).status, 200);
    assert.equal((await device('DELETE', one, asForm(registration(one, { token: 'shared' })))).status, 404);
    assert.equal((await device('DELETE', two, asForm(registration(two, { token: 'shared' })))).status, 200);
    assert.equal((await device('DELETE', one, ios, '/api/apns-device/')).status, 200);
  });

  await t.test('DELETE takes out exactly the phone it names', async () => {
    const member = addMember(service);
    await device('POST', member, asForm(registration(member, { token: 'Token' })));
    for (const wrong of [{ token: 'token' }, { token: 'Token', app: 'com.example.PHONE' }]) {
      const answer = await device('DELETE', member, asForm(registration(member, wrong)));
      assertJson(answer, 404, NOT_FOUND, JSON.stringify(wrong));
    }
    const right = registration(member, { token: 'Token' });
    assertJson(await device('DELETE', member, asForm(right), '/api/apns-device/'), 404, NOT_FOUND);
    assertJson(
      await device('DELETE', member, asJson({ token: 'Token', sip_user_id: member.account })),
      400,
      MALFORMED,
    );
    const query = new URLSearchParams(right).toString();
    const byQuery = await send(service.url, {
      method: 'DELETE',
      path: `/api/android-device?${query}`,
      headers: { authorization: member.basic },
    });
    assertJson(byQuery, 200, '""');
  });

  await t.test('a field that makes no sense is 400; what only newer apps send never is', async () => {
    const member = addMember(service);
    const good = registration(member);
    const rows: readonly (readonly [object, string])[] = [
      [{ token: undefined }, 'token'],
      [{ token: 'two words' }, 'token'],
      [{ token: 't'.repeat(251) }, 'token'],
      [{ token: '' }, 'token'],
      [{ app: undefined }, 'app'],
      [{ app: null }, 'app'],
      [{ name: null }, 'name'],
      [{ name: 'n'.repeat(256) }, 'name'],
      [{ name: { first: 'n' } }, 'name'],
      [{ os_version: [] }, 'os_version'],
      [{ client_version: true }, 'client_version'],
      [{ remote_logging_id: null }, 'remote_logging_id'],
      [{ sandbox: 'maybe' }, 'sandbox'],
      [{ sandbox: null }, 'sandbox'],
    ];
    for (const [more, field] of rows) {
      const answer = await device('POST', member, asJson({ ...good, ...more }));
      assertJson(answer, 400, MALFORMED, JSON.stringify(more));
      assert.equal(answer.headers['x-invalid-field'], field);
    }
    const lenient = {
      push_profile: null,
      remote_notification_token: ['x'],
      dnd: null,
      app_startup_timestamp: null,
      sandbox: '',
      name: '  ',
      token: `tab\t${member.account}`,
    };
    assertJson(await device('POST', member, asJson({ ...good, ...lenient })), 201, '""');
  });
});
