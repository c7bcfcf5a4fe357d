import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { it } from 'node:test';
import { decodeProtectedHeader, jwtVerify } from 'jose';
import { systemClock } from '../../src/lib/clock.ts';
import { createFetchToken, type OauthAnswer } from '../../src/push/services/fcm/oauth.ts';
import { fcmAccount, makeRsaKey } from './helpers/provider-fixture.ts';
import { giveToken, startTokenServer } from './helpers/token-server.ts';

const key = makeRsaKey();
const GENEROUS_MS = 20_000;
const never = new AbortController().signal;

async function ask(
  answer: (response: ServerResponse) => void,
  timeoutMs = GENEROUS_MS,
): Promise<OauthAnswer> {
  await using server = await startTokenServer(answer);
  return await createFetchToken(fcmAccount(key.pem, server.uri), systemClock)(timeoutMs, never);
}

function refuse(status: number, body: unknown) {
  return (response: ServerResponse) => {
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(typeof body === 'string' ? body : JSON.stringify(body));
  };
}

it('the token address is asked by the JWT bearer grant, signed by the account', async () => {
  await using server = await startTokenServer((response) => giveToken(response, 'ya29.token'));
  const fetchToken = createFetchToken(fcmAccount(key.pem, server.uri), systemClock);
  assert.deepEqual(await fetchToken(GENEROUS_MS, never), {
    kind: 'token',
    token: 'ya29.token',
    lifetimeMs: 3_599_000,
  });
  const [question] = server.asked;
  assert.equal(question?.method, 'POST');
  assert.equal(question?.contentType, 'application/x-www-form-urlencoded');
  assert.equal(question?.form.get('grant_type'), 'urn:ietf:params:oauth:grant-type:jwt-bearer');
  const assertion = question?.form.get('assertion') ?? '';
  assert.deepEqual(decodeProtectedHeader(assertion), { alg: 'RS256', typ: 'JWT', kid: 'account-key-1' });
  const { payload } = await jwtVerify(assertion, key.publicKey, { audience: server.uri });
  assert.equal(payload.iss, 'push@project-one.iam.gserviceaccount.com');
  assert.equal(payload['scope'], 'https://www.googleapis.com/auth/firebase.messaging');
  assert.equal((payload.exp ?? 0) - (payload.iat ?? 0), 3_600);
});

const REFUSALS: readonly (readonly [number, unknown, OauthAnswer['kind'], string, detail?: string])[] = [
  [
    400,
    { error: 'invalid_grant', error_description: 'Invalid JWT Signature.' },
    'app-fault',
    'oauth-invalid-grant',
    'HTTP 400: invalid_grant: Invalid JWT Signature.',
  ],
  [401, { error: 'invalid_client' }, 'app-fault', 'oauth-invalid-client', 'HTTP 401: invalid_client'],
  [403, { error: 'unauthorized_client' }, 'app-fault', 'oauth-unauthorized', 'HTTP 403: unauthorized_client'],
  [400, { error: 'something_new' }, 'app-fault', 'oauth-refused', 'HTTP 400: something_new'],
  [404, '<html>', 'app-fault', 'oauth-refused'],
  [429, {}, 'unavailable', 'oauth-server-error'],
  [500, '', 'unavailable', 'oauth-server-error'],
  [503, {}, 'unavailable', 'oauth-server-error'],
  [200, '<html>', 'unavailable', 'oauth-bad-answer'],
  [200, 'null', 'unavailable', 'oauth-bad-answer'],
  [200, { access_token: 7 }, 'unavailable', 'oauth-bad-answer'],
  [200, { access_token: 'a\r\nb' }, 'unavailable', 'oauth-bad-answer'],
  [200, { access_token: 'x'.repeat(100_000) }, 'unavailable', 'oauth-bad-answer'],
];

for (const [status, body, kind, reason, detail = `HTTP ${status}`] of REFUSALS)
  it(`${status} ${JSON.stringify(body).slice(0, 40)} is ${reason}`, async () => {
    assert.deepEqual(await ask(refuse(status, body)), { kind, reason, detail });
  });

const LIFETIMES: readonly (readonly [unknown, number])[] = [
  [null, 3_600_000],
  ['1200', 1_200_000],
  [-5, 3_600_000],
  ['soon', 3_600_000],
  [1e12, 86_400_000],
];

for (const [stated, expected] of LIFETIMES)
  it(`a lifetime of ${JSON.stringify(stated)} is taken as ${expected} ms`, async () => {
    const answer = await ask((response) => giveToken(response, 'token', stated));
    assert.equal(answer.kind === 'token' && answer.lifetimeMs, expected);
  });

it('a redirect is not followed: the assertion is for its own address', async () => {
  await using elsewhere = await startTokenServer((response) => giveToken(response, 'stolen'));
  const answer = await ask((response) => {
    response.writeHead(307, { location: elsewhere.uri });
    response.end();
  });
  assert.deepEqual(answer, { kind: 'app-fault', reason: 'oauth-refused', detail: 'HTTP 307' });
  assert.equal(elsewhere.asked.length, 0);
});

it('silence ends with five times the time given', async () => {
  assert.deepEqual(await ask(() => undefined, 40), { kind: 'unavailable', reason: 'oauth-timeout' });
});

it('a body that never ends does so too', async () => {
  const answer = await ask((response) => response.write('{"access'), 100);
  assert.deepEqual(answer, { kind: 'unavailable', reason: 'oauth-timeout' });
});

it('nobody at the address is unreachable', async () => {
  const gone = await startTokenServer(() => undefined);
  await gone[Symbol.asyncDispose]();
  const answer = await createFetchToken(fcmAccount(key.pem, gone.uri), systemClock)(GENEROUS_MS, never);
  assert.ok(answer.kind === 'unavailable');
  assert.equal(answer.reason, 'oauth-unreachable');
  assert.equal(answer.certain, true);
  assert.match(answer.detail ?? '', /ECONNREFUSED/);
});

it('closing ends the question', async () => {
  const closing = new AbortController();
  await using server = await startTokenServer(() => closing.abort());
  const fetchToken = createFetchToken(fcmAccount(key.pem, server.uri), systemClock);
  assert.equal((await fetchToken(GENEROUS_MS, closing.signal)).kind, 'unavailable');
  assert.equal((await fetchToken(GENEROUS_MS, closing.signal)).kind, 'unavailable');
});

it('what is no private key is refused at once', () => {
  assert.throws(() => createFetchToken(fcmAccount('no key', 'http://127.0.0.1:1/'), systemClock));
});

it('a token address on a slow path is given five times the time', async () => {
  await using server = await startTokenServer((response) => {
    setTimeout(() => giveToken(response, 'ya29.token'), 300);
  });
  const fetchToken = createFetchToken(fcmAccount(key.pem, server.uri), systemClock);
  assert.equal((await fetchToken(200, never)).kind, 'token');
  assert.equal((await fetchToken(200, never)).kind, 'token');
});

it('a question that hangs does not keep the next one from being answered', async () => {
  let asked = 0;
  await using server = await startTokenServer((response) => {
    asked += 1;
    if (asked === 3) giveToken(response, 'ya29.token');
  });
  const fetchToken = createFetchToken(fcmAccount(key.pem, server.uri), systemClock);
  assert.equal((await fetchToken(200, never)).kind, 'token');
  assert.equal(asked, 3);
});

it('a token address that never answers is asked five times, and no question is left', async () => {
  await using server = await startTokenServer(() => undefined);
  const fetchToken = createFetchToken(fcmAccount(key.pem, server.uri), systemClock);
  assert.equal((await fetchToken(100, never)).kind, 'unavailable');
  assert.ok(server.asked.length <= 5 && server.asked.length >= 2, `${server.asked.length}`);
});
