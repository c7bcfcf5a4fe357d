import assert from 'node:assert/strict';
import { DatabaseSync } from 'node:sqlite';
import { it } from 'node:test';
import { SANDBOX_APPS } from '../../src/cli/sandbox/sandbox-apps.ts';
import { startTestService } from '../helpers/test-service.ts';
import { asJson, send } from './http-client.ts';
import { addMember, type Member, registration } from './members.ts';

const ODD = 'vialer_middleware_ios_tokens_odd_total';

it('push tokens of iPhones', async (t) => {
  const service = await startTestService(t);
  const device = (method: string, member: Member, fields: object, path = '/api/apns-device/') =>
    send(service.url, { method, path, ...asJson(fields), headers: { authorization: member.token } });
  const stored = (member: Member) => {
    const database = new DatabaseSync(service.databaseUrl.slice('sqlite:'.length), { readOnly: true });
    const row = database.prepare('select token from devices where account = ?').get(member.account);
    database.close();
    return row?.['token'];
  };

  await t.test('what is evidently none is 400 with its field, and not stored; never 401', async () => {
    for (const token of [
      '{length=32,bytes=0x740f...}',
      '{length = 32, bytes = 0x740f...}',
      '(null)',
      'undefined',
    ]) {
      for (const path of ['/api/apns-device/', '/api/android-device/']) {
        const member = addMember(service);
        const answer = await device('POST', member, registration(member, { token }), path);
        assert.deepEqual(
          [answer.status, answer.headers['x-invalid-field']],
          [400, 'token'],
          `${path} ${token}`,
        );
        assert.equal(answer.body, '{"detail":"Malformed request."}');
        assert.equal(stored(member), undefined);
      }
    }
  });

  await t.test(
    'the description of all its bytes is cleaned: the phone rings, and logs out by either',
    async () => {
      const phone = await service.phone({ kind: 'ios', register: false });
      const member = addMember(service, phone.account);
      const described = `<${phone.token.replace(/.{8}/g, '$& ').trim()}>`;
      const fields = { ...registration(member, { token: described }), app: SANDBOX_APPS.apns };
      assert.equal((await device('POST', member, fields)).status, 201);
      assert.equal(stored(member), phone.token);
      assert.equal((await service.ask({ account: phone.account })).body, 'status=ACK');
      assert.equal((await device('DELETE', member, fields)).status, 200);
      assert.equal(stored(member), undefined);
    },
  );

  await t.test(
    'any other text registers; it is counted each time and logged once for a version',
    async () => {
      const odd = { app: SANDBOX_APPS.apns, client_version: '6.0.0 (1)' };
      const firebase = 'dXJ0aGVyVG9rZW4:APA91bHun4MxP5egoKMwt2KZFBaFUH-1RYqx';
      const base64 = Buffer.alloc(32, 7).toString('base64');
      for (const [token, more] of [
        [firebase, odd],
        [firebase, odd],
        [base64, { ...odd, client_version: '6.0.1 (2)' }],
        ['abc', { ...odd, client_version: firebase }],
        ['c0ffee'.padEnd(16, '0'), { ...odd, client_version: 'v20261130' }],
        ['c0ffee'.padEnd(62, '0'), odd],
        ['c0ffee'.padEnd(202, '0'), odd],
        ['c0ffee'.padEnd(64, '0'), odd],
        ['c0ffee'.padEnd(200, '0'), odd],
      ] as const) {
        const member = addMember(service);
        const answer = await device('POST', member, { ...registration(member, { token }), ...more });
        assert.equal(answer.status, 201, token);
        assert.equal(stored(member), token);
      }
      const counts = ['fcm', 'base64', 'other'].map((shape) =>
        service.metric(`${ODD}{app="${SANDBOX_APPS.apns}",shape="${shape}"}`),
      );
      assert.deepEqual(await Promise.all(counts), [2, 1, 4]);
      const lines = service.logged.filter(({ message }) => message.includes('not hexadecimal'));
      assert.deepEqual(
        lines.map(({ level, fields }) => [level, fields['app'], fields['clientVersion'], fields['shape']]),
        [
          ['warn', SANDBOX_APPS.apns, '6.0.0 (1)', 'fcm'],
          ['warn', SANDBOX_APPS.apns, '6.0.1 (2)', 'base64'],
          ['warn', SANDBOX_APPS.apns, '', 'other'],
          ['warn', SANDBOX_APPS.apns, 'v20261130', 'other'],
        ],
      );
      const log = JSON.stringify(service.logged);
      for (const token of [firebase, base64]) assert.ok(!log.includes(token));
    },
  );

  await t.test('a token of Android is not held against Apple', async () => {
    const member = addMember(service);
    assert.equal((await device('POST', member, registration(member), '/api/android-device/')).status, 201);
    assert.equal(service.logged.filter(({ message }) => message.includes('not hexadecimal')).length, 4);
  });
});
