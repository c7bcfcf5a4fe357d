import assert from 'node:assert/strict';
import { it } from 'node:test';
import { newAccount, startTestService } from '../helpers/test-service.ts';
import { type Asked, asJson, send } from './http-client.ts';
import { addMember, registration } from './members.ts';

const HUGE = 'x'.repeat(65_537);
const NO_CREDENTIALS = '{"detail":"Authentication credentials were not provided."}';
const WRONG_CREDENTIALS = '{"detail":"Incorrect authentication credentials."}';
const NO_PERMISSION = '{"detail":"You do not have permission to perform this action."}';
const MALFORMED = '{"detail":"Malformed request."}';

it('on the endpoints of an account, of two things that are wrong the first one is told', async (t) => {
  const service = await startTestService(t);
  const member = addMember(service);
  const device = '/api/android-device/';
  const wrong = { authorization: 'Basic d3Jvbmc=' };
  const right = { authorization: member.basic };
  const questions = () => service.world.platform.requests('profile');

  const rows: readonly (readonly [string, Asked, number, string])[] = [
    [
      '413 before 401',
      { path: device, type: 'text/plain', body: HUGE },
      413,
      '{"detail":"The body is longer than 65536 bytes."}',
    ],
    ['401 (no header) before 415', { path: device, type: 'text/plain', body: 'x' }, 401, NO_CREDENTIALS],
    [
      '401 (no header) before 415, for no media type at all',
      { path: device, type: 'x', body: 'x' },
      401,
      NO_CREDENTIALS,
    ],
    [
      '401 (no header) before broken JSON',
      { path: device, type: 'application/json', body: '{' },
      401,
      NO_CREDENTIALS,
    ],
    [
      '401 (empty header) before 400',
      { path: device, ...asJson({}), headers: { authorization: ' ' } },
      401,
      NO_CREDENTIALS,
    ],
    ['401 (no header) before 405', { path: device, method: 'PUT', ...asJson({}) }, 401, NO_CREDENTIALS],
    [
      '415 before the account',
      { path: device, type: 'text/plain', body: 'x', headers: wrong },
      415,
      '{"detail":"Unsupported media type \\"text/plain\\" in request."}',
    ],
    [
      '415 before 405',
      { path: device, method: 'PATCH', type: 'text/plain', body: 'x', headers: wrong },
      415,
      '{"detail":"Unsupported media type \\"text/plain\\" in request."}',
    ],
    [
      'no object: 400 before the platform',
      { path: device, ...asJson(['x']), headers: wrong },
      400,
      MALFORMED,
    ],
    [
      'account missing: 400 before the platform',
      { path: device, ...asJson({}), headers: wrong },
      400,
      MALFORMED,
    ],
    [
      'account wrong: 400 before the platform',
      { path: device, ...asJson({ sip_user_id: 1 }), headers: wrong },
      400,
      MALFORMED,
    ],
    [
      'account wrong: 400 before 405',
      { path: '/api/check-in/', method: 'GET', headers: wrong },
      400,
      MALFORMED,
    ],
  ];
  for (const [name, asked, status, body] of rows) {
    await t.test(name, async () => {
      const before = questions();
      const answer = await send(service.url, asked);
      assert.deepEqual([answer.status, answer.body], [status, body]);
      assert.equal(answer.contentType, 'application/json');
      assert.equal(answer.headers['www-authenticate'], status === 401 ? 'Basic' : undefined);
      assert.equal(questions(), before, 'the platform is not asked');
    });
  }

  const account = { sip_user_id: member.account };
  const asked: readonly (readonly [string, Asked, number, string])[] = [
    [
      '401 of the platform before 403',
      { path: device, ...asJson({ sip_user_id: newAccount() }), headers: wrong },
      401,
      WRONG_CREDENTIALS,
    ],
    [
      '401 of the platform before 405',
      { path: device, method: 'PUT', ...asJson(account), headers: wrong },
      401,
      WRONG_CREDENTIALS,
    ],
    [
      '403 (another account) before 405',
      { path: device, method: 'PUT', ...asJson({ sip_user_id: newAccount() }), headers: right },
      403,
      NO_PERMISSION,
    ],
    [
      '403 (another account) before the other fields',
      { path: device, ...asJson({ sip_user_id: newAccount() }), headers: right },
      403,
      NO_PERMISSION,
    ],
    [
      '405 before the other fields',
      { path: device, method: 'PUT', ...asJson(account), headers: right },
      405,
      '{"detail":"Method \\"PUT\\" not allowed."}',
    ],
    [
      'other fields before 404',
      {
        path: device,
        ...asJson({ ...registration(member, { app: 'unknown' }), token: 'a b' }),
        headers: right,
      },
      400,
      MALFORMED,
    ],
    [
      '404 last',
      { path: device, ...asJson(registration(member, { app: 'unknown' })), headers: right },
      404,
      '{"detail":"Not found."}',
    ],
  ];
  for (const [name, question, status, body] of asked) {
    await t.test(name, async () => {
      const before = questions();
      const answer = await send(service.url, question);
      assert.deepEqual([answer.status, answer.body, answer.contentType], [status, body, 'application/json']);
      assert.equal(questions(), before + 1, 'the platform is asked once');
    });
  }

  await t.test('503 of the platform before 405 and the other fields', async () => {
    service.world.platform.script({ kind: 'answer', status: 500 }, { times: 2 });
    for (const method of ['PUT', 'POST']) {
      const answer = await send(service.url, { method, path: device, ...asJson(account), headers: right });
      assert.equal(answer.status, 503, method);
    }
  });

  await t.test('405 names what is allowed, on every endpoint', async () => {
    const rows = [
      ['/api/apns-device/', 'POST, DELETE'],
      ['/api/gcm-device', 'POST, DELETE'],
      ['/api/android-device/x', 'POST, DELETE'],
      ['/api/hangup-reason/', 'POST'],
      ['/api/log-metrics/', 'POST'],
      ['/api/check-in/', 'POST'],
    ] as const;
    for (const [path, allow] of rows) {
      for (const method of ['PUT', 'PATCH', 'OPTIONS', ...(allow === 'POST' ? ['DELETE'] : [])]) {
        const answer = await send(service.url, { method, path, ...asJson(account), headers: right });
        assert.equal(answer.status, 405, `${method} ${path}`);
        assert.equal(answer.headers.allow, allow);
        assert.equal(answer.body, `{"detail":"Method \\"${method}\\" not allowed."}`);
      }
    }
  });

  await t.test('call-response knows POST only, and asks nobody', async () => {
    for (const method of ['GET', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'HEAD']) {
      const answer = await send(service.url, { method, path: '/api/call-response/' });
      assert.deepEqual(
        [answer.status, answer.headers.allow, answer.contentType],
        [405, 'POST', 'application/json'],
      );
      assert.equal(answer.body, method === 'HEAD' ? '' : `{"detail":"Method \\"${method}\\" not allowed."}`);
    }
  });
});
