import assert from 'node:assert/strict';
import { Agent, type IncomingMessage, request } from 'node:http';
import { after, afterEach, before, describe, it } from 'node:test';
import { type PlatformApi, startPlatformApi } from '../../src/sandbox/platform-api.ts';

const PROFILE = '/api/permission/systemuser/profile/';

describe('the platform API', () => {
  let platform: PlatformApi;
  let right: { readonly basic: string; readonly token: string };
  const agent = new Agent({ keepAlive: true });
  before(async () => {
    platform = await startPlatformApi();
    right = platform.addUser({ account: 123456789, user: 'a@example.com', password: 'p:w', token: 'abc' });
  });
  afterEach(() => platform.clearFaults());
  after(async () => {
    agent.destroy();
    await platform.close();
  });

  const get = (path: string, authorization: string) =>
    new Promise<{ status: number; headers: IncomingMessage['headers']; body: string }>((resolve, reject) => {
      const asked = request(
        `${platform.url}${path}`,
        { headers: { authorization }, agent },
        async (response) => {
          let body = '';
          for await (const chunk of response) body += chunk;
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body });
        },
      );
      asked.on('error', reject);
      asked.end();
    });

  it('tells the account of a user by either credential, over one connection', async () => {
    const before = platform.connections();
    for (const authorization of [right.basic, right.token]) {
      const profile = await get(PROFILE, authorization);
      assert.equal(profile.status, 200);
      const account = await get(JSON.parse(profile.body).app_account, authorization);
      assert.equal(JSON.parse(account.body).account_id, 123456789);
    }
    assert.deepEqual([platform.requests('profile'), platform.requests('account')], [2, 2]);
    assert.ok(platform.connections() - before <= 1);
  });

  it('knows the Basic and the Token form', () => {
    assert.equal(right.basic, `Basic ${btoa('a@example.com:p:w')}`);
    assert.equal(right.token, 'Token a@example.com:abc');
  });

  it('refuses wrong credentials with 401 and other accounts with 403', async () => {
    assert.equal((await get(PROFILE, 'Token a@example.com:wrong')).status, 401);
    const other = '/api/phoneaccount/basic/phoneaccount/987654321/';
    assert.equal((await get(other, right.token)).status, 403);
    assert.equal((await get('/api/other/', right.token)).status, 404);
  });

  it('fails as scripted, for one question, so many times', async () => {
    const profile = () => get(PROFILE, right.token);
    platform.script({ kind: 'answer', status: 503, body: 'down' }, { question: 'profile', times: 1 });
    const account = '/api/phoneaccount/basic/phoneaccount/123456789/';
    assert.equal((await get(account, right.token)).status, 200);
    assert.deepEqual([(await profile()).status, (await profile()).status], [503, 200]);
    platform.script({ kind: 'garbage' }, { times: 1 });
    const garbage = await profile();
    assert.throws(() => JSON.parse(garbage.body));
    platform.script({ kind: 'missing-key' }, { times: 1 });
    assert.equal((await profile()).body, '{}');
    platform.script({ kind: 'null-account' }, { times: 1 });
    assert.deepEqual(JSON.parse((await profile()).body), { app_account: null });
    platform.script({ kind: 'redirect' }, { times: 1 });
    const redirect = await profile();
    assert.deepEqual([redirect.status, typeof redirect.headers.location], [302, 'string']);
    platform.script({ kind: 'disconnect' }, { times: 1 });
    await assert.rejects(profile());
    platform.script({ kind: 'delay', ms: 60 }, { times: 1 });
    const started = performance.now();
    assert.equal((await profile()).status, 200);
    assert.ok(performance.now() - started >= 55);
  });

  it('hangs as scripted until it is closed', async () => {
    const own = await startPlatformApi();
    own.script({ kind: 'hang' });
    const hanging = new Promise((resolve) => {
      request(`${own.url}${PROFILE}`, { agent: false }).on('error', resolve).end();
    });
    while (own.requests('profile') === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    await own.close();
    assert.ok((await hanging) instanceof Error);
  });
});
