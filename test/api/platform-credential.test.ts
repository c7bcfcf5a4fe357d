import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { it, type TestContext } from 'node:test';
import { newAccount, startTestService } from '../helpers/test-service.ts';
import { asJson, send } from './http-client.ts';
import { registration } from './members.ts';

/** A platform that answers as a test says and keeps what it was asked. */
async function startPlatform(
  t: TestContext,
  answer: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<{ readonly url: string; readonly asked: IncomingMessage[] }> {
  const asked: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    asked.push(request);
    answer(request, response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const address: AddressInfo | string | null = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  return { url: `http://127.0.0.1:${address.port}`, asked };
}

const member = { account: newAccount(), basic: 'Basic dXNlcjpwdw==', token: '' };

function register(url: string, authorization = member.basic) {
  return send(url, {
    path: '/api/android-device/',
    ...asJson(registration(member)),
    headers: { authorization },
  });
}

function rightAnswer(request: IncomingMessage, response: ServerResponse): void {
  const profile = request.url?.includes('/profile/') === true;
  response.end(
    JSON.stringify(profile ? { app_account: '/api/accounts/7/' } : { account_id: member.account }),
  );
}

it('the Authorization header goes to the platform to the letter, and nothing else of the app does', async (t) => {
  const platform = await startPlatform(t, rightAnswer);
  const service = await startTestService(t, { settings: { VG_API_BASE_URL: platform.url } });
  const headers = [
    'Basic dXNlcjpwdw==',
    'Token user@example.com:abc',
    'basic   two  spaces',
    'JustOneWord',
    'Bearer é\u00ff',
    `Basic ${'x'.repeat(8_000)}`,
  ];
  for (const authorization of headers) {
    platform.asked.length = 0;
    assert.ok([200, 201].includes((await register(service.url, authorization)).status), authorization);
    assert.deepEqual(
      platform.asked.map((request) => [request.method, request.url, request.headers.authorization]),
      [
        ['GET', '/api/permission/systemuser/profile/', authorization],
        ['GET', '/api/accounts/7/', authorization],
      ],
    );
    for (const request of platform.asked) {
      assert.deepEqual(Object.keys(request.headers).sort(), [
        'accept',
        'authorization',
        'connection',
        'host',
      ]);
    }
  }
});

it('a path in VG_API_BASE_URL goes before both questions, with a slash at its end and without', async (t) => {
  const platform = await startPlatform(t, rightAnswer);
  for (const base of [`${platform.url}/vg/v2`, `${platform.url}/vg/v2/`]) {
    platform.asked.length = 0;
    const service = await startTestService(t, {
      settings: { VG_API_BASE_URL: base, VG_API_USER_URL: '/me/profile/' },
    });
    assert.equal((await register(service.url)).status, 201);
    assert.deepEqual(
      platform.asked.map((request) => request.url),
      ['/vg/v2/me/profile/', '/vg/v2/api/accounts/7/'],
    );
  }
});

it('a credential is not sent to another host, wherever the platform points', async (t) => {
  const elsewhere = await startPlatform(t, rightAnswer);
  const other = elsewhere.url.slice('http:'.length);
  const pointers = [
    `${elsewhere.url}/api/accounts/7/`,
    `${other}/api/accounts/7/`,
    `/\\${other.slice(2)}/api/accounts/7/`,
    `\\\\${other.slice(2)}/x`,
    'api/accounts/7/',
    `@${other.slice(2)}/`,
    ':80@127.0.0.1/',
    'javascript:alert(1)',
  ];
  let pointer = '';
  const platform = await startPlatform(t, (request, response) => {
    if (pointer === 'redirect') response.writeHead(302, { location: `${elsewhere.url}${request.url}` }).end();
    else response.end(JSON.stringify({ app_account: pointer, account_id: member.account }));
  });
  const service = await startTestService(t, { settings: { VG_API_BASE_URL: platform.url } });
  for (pointer of [...pointers, 'redirect']) {
    platform.asked.length = 0;
    assert.equal((await register(service.url)).status, 503, pointer);
    assert.equal(platform.asked.length, 1, pointer);
  }
  assert.equal(elsewhere.asked.length, 0);
});

it('an answer that drips or never ends is given up within its bounds', async (t) => {
  let shape: 'drips' | 'endless' = 'drips';
  const platform = await startPlatform(t, (_request, response) => {
    response.writeHead(200);
    if (shape === 'drips') {
      const timer = setInterval(() => response.write(' '), 20);
      response.once('close', () => clearInterval(timer));
      return;
    }
    const pour = (): void => {
      while (!response.destroyed && response.write('x'.repeat(65_536))) {}
    };
    response.on('drain', pour);
    pour();
  });
  const service = await startTestService(t, {
    settings: { VG_API_BASE_URL: platform.url, VG_API_TIMEOUT: '500' },
  });
  const from = performance.now();
  assert.equal((await register(service.url)).status, 503);
  assert.ok(performance.now() - from < 15_000);
  shape = 'endless';
  assert.equal((await register(service.url)).status, 503);
});

it('a platform that cannot be reached is 503', async (t) => {
  const service = await startTestService(t, {
    settings: { VG_API_BASE_URL: 'http://127.0.0.1:1/', VG_API_TIMEOUT: '20000' },
  });
  assert.equal((await register(service.url)).status, 503);
  const failures = 'vialer_middleware_platform_api_failures_total{reason="unreachable"}';
  assert.equal(await service.metric(failures), 1);
});

it('a header that the platform does not take as HTTP is 400 and counts as a failure', async (t) => {
  // As web servers do with what they cannot read: an answer that judges nobody, or none at all.
  const refusals: readonly ((request: IncomingMessage, response: ServerResponse) => void)[] = [
    (_request, response) => response.writeHead(400).end(),
    (request) => request.socket.destroy(),
  ];
  for (const refuse of refusals) {
    const platform = await startPlatform(t, refuse);
    const service = await startTestService(t, {
      settings: { VG_API_BASE_URL: platform.url, LIMIT_FAILED_AUTH: '4' },
    });
    const odd = ['Basic \u00e9', 'Bearer \u00ff', '\u0080', `Basic ${'x'.repeat(12_000)}`];
    for (const authorization of odd) {
      const answer = await register(service.url, authorization);
      assert.deepEqual(
        [answer.status, answer.body, answer.headers['x-invalid-field']],
        [400, '{"detail":"Malformed request."}', 'authorization'],
        authorization.slice(0, 20),
      );
    }
    assert.equal((await register(service.url, 'Basic \u00e9')).status, 429);
  }
});

it('a right header is no failure while the platform is down', async (t) => {
  const platform = await startPlatform(t, (_request, response) => response.writeHead(500).end());
  const service = await startTestService(t, {
    settings: { VG_API_BASE_URL: platform.url, LIMIT_FAILED_AUTH: '1' },
  });
  for (let time = 0; time < 3; time += 1) assert.equal((await register(service.url)).status, 503);
});
