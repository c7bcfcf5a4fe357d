import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request } from 'node:https';
import { after, afterEach, before, describe, it } from 'node:test';
import { type Claims, type GoogleFixture, startGoogleFixture } from './google-fixture.ts';

function now(): number {
  return Math.floor(Date.now() / 1000);
}

describe("Google's token endpoint", () => {
  let fixture: GoogleFixture;
  before(async () => {
    fixture = await startGoogleFixture();
  });
  afterEach(() => fixture.google.clearFaults());
  after(() => fixture.close());

  const overHttp1 = async (form: string): Promise<{ status: number | undefined; body: string }> => {
    const asked = request(fixture.account.token_uri, {
      method: 'POST',
      ca: fixture.ca.certificate,
      agent: false,
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
    });
    asked.end(form);
    const [response] = await once(asked, 'response');
    let body = '';
    for await (const chunk of response) body += chunk;
    return { status: response.statusCode, body };
  };

  it('trades a signed assertion for an access token, over HTTP/2 and over HTTP/1.1', async () => {
    const before = fixture.google.tokensIssued();
    const form = await fixture.form();
    for (const ending of [await fixture.trade(form), await overHttp1(form)]) {
      const granted = JSON.parse(ending.body);
      assert.equal(ending.status, 200);
      assert.deepEqual([granted.expires_in, granted.token_type], [3599, 'Bearer']);
      assert.match(granted.access_token, /^ya29\../);
    }
    assert.equal(fixture.google.tokensIssued(), before + 2);
  });

  it('gives a service account as the file that Google would', () => {
    const { account } = fixture;
    assert.equal(account.type, 'service_account');
    assert.match(account.private_key, /BEGIN PRIVATE KEY/);
    assert.equal(account.token_uri, `${fixture.google.origin}/token`);
  });

  const bad: readonly [string, Claims, string][] = [
    ['a forged signature', { forge: true }, 'invalid_grant'],
    ['an unknown account', { iss: 'nobody@example.com' }, 'invalid_grant'],
    ['an assertion for another audience', { aud: 'https://oauth2.googleapis.com/token' }, 'invalid_grant'],
    ['an expired assertion', { iat: now() - 4000, exp: now() - 400 }, 'invalid_grant'],
    ['an assertion of more than an hour', { exp: now() + 7200 }, 'invalid_grant'],
    ['another scope', { scope: 'https://www.googleapis.com/auth/drive' }, 'invalid_scope'],
  ];
  for (const [what, claims, error] of bad) {
    it(`refuses ${what}: ${error}`, async () => {
      const ending = await fixture.trade(await fixture.form(claims));
      assert.deepEqual([ending.status, JSON.parse(ending.body).error], [400, error]);
    });
  }

  it('refuses other grants and forms that are none', async () => {
    const other = await fixture.trade('grant_type=password');
    assert.deepEqual([other.status, JSON.parse(other.body).error], [400, 'unsupported_grant_type']);
    const junk = await fixture.trade((await fixture.form()).replace(/assertion=.*/, 'assertion=junk'));
    assert.deepEqual([junk.status, JSON.parse(junk.body).error], [400, 'invalid_grant']);
  });

  it('forgets tokens that expired or were revoked', async (t) => {
    const short = await startGoogleFixture({ tokenLifetimeS: 0 });
    t.after(() => short.close());
    const body = { message: { token: 't', data: {} } };
    assert.equal((await short.send(`Bearer ${await short.accessToken()}`, body)).status, 401);
    const authorization = `Bearer ${await fixture.accessToken()}`;
    assert.equal((await fixture.send(authorization, body)).status, 200);
    fixture.google.revokeTokens();
    assert.equal((await fixture.send(authorization, body)).status, 401);
  });

  it('fails as scripted, over both', async () => {
    const form = await fixture.form();
    fixture.google.scriptToken({
      kind: 'answer',
      status: 503,
      body: 'later',
      headers: { 'retry-after': '1' },
    });
    const http2 = await fixture.trade(form);
    assert.deepEqual([http2.status, http2.body, http2.headers['retry-after']], [503, 'later', '1']);
    assert.deepEqual(await overHttp1(form), { status: 503, body: 'later' });
    fixture.google.clearFaults();
    fixture.google.scriptToken({ kind: 'disconnect' }, { times: 1 });
    await assert.rejects(overHttp1(form));
    fixture.google.scriptToken({ kind: 'delay', ms: 60 }, { times: 1 });
    const started = performance.now();
    assert.equal((await overHttp1(form)).status, 200);
    assert.ok(performance.now() - started >= 55);
  });

  it('hangs as scripted until it is closed', async () => {
    const own = await startGoogleFixture();
    own.google.scriptToken({ kind: 'hang' });
    const hanging = own.trade(await own.form());
    const quiet = new Promise((resolve) => setTimeout(resolve, 100, 'quiet'));
    assert.equal(await Promise.race([hanging, quiet]), 'quiet');
    await own.close();
    assert.equal((await hanging).status, 0);
  });
});
