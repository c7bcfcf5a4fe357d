import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import { describe, it, type TestContext } from 'node:test';
import { owned } from '../../harness/owned.ts';
import { SANDBOX_APPS } from '../../src/cli/sandbox/sandbox-apps.ts';
import { type Answered, asJson, send } from '../api/http-client.ts';
import { pushTokenOf } from '../helpers/client-scene.ts';
import { startTestService } from '../helpers/test-service.ts';

const page = readFileSync('docs/platform-api.md', 'utf8');
const ACCOUNT = 123456789;

/** One answer of the platform, and what the document says becomes of it. */
interface Row {
  readonly question: 'profile' | 'account';
  readonly status: number;
  readonly body: string;
  /** Undefined: the account's phone is registered. */
  readonly refused: number | undefined;
  readonly reason: string;
}

const ROW =
  /^\| (profile|account|both) \| (\d+) \| (?:any|`(.*?)`) \| (?:(\d{3})\b)?[^|]*\| (?:`(\S+)` )?\|$/gm;
const ROWS: readonly Row[] = [...page.matchAll(ROW)].flatMap(
  ([, question = '', status = '', body = '{}', refused, reason = '']) =>
    (['profile', 'account'] as const)
      .filter((each) => question === each || question === 'both')
      .map((each) => ({
        question: each,
        status: Number(status),
        body,
        refused: refused === undefined ? undefined : Number(refused),
        reason,
      })),
);

function register(url: string, account = ACCOUNT, login = 'alice@example.org:password'): Promise<Answered> {
  const authorization = `Basic ${Buffer.from(login).toString('base64')}`;
  const fields = { sip_user_id: account, token: pushTokenOf('android'), app: SANDBOX_APPS.android };
  return send(url, { path: '/api/android-device/', ...asJson(fields), headers: { authorization } });
}

/** Listens on a free port of this machine until the test is over; the port. */
async function listen(t: TestContext, listener: RequestListener): Promise<number> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  return address.port;
}

/** Runs the example server of the document. */
async function startExample(t: TestContext): Promise<{ readonly url: string; stop(): Promise<void> }> {
  const port = await freePort();
  const env = { ...process.env, PORT: String(port) };
  const args = ['integrations/platform-api/server.js'];
  const example = spawn(...owned('node', args), { env, stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = once(example, 'exit');
  const stop = async (): Promise<void> => {
    example.kill();
    await exited;
  };
  t.after(stop);
  const [line] = await once(example.stdout, 'data');
  const url = `http://127.0.0.1:${port}`;
  assert.equal(String(line), `The platform API listens on ${url}\n`);
  return { url, stop };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  server.close();
  await once(server, 'close');
  return address.port;
}

describe('docs/platform-api.md says what the service does', () => {
  it('with each answer of the platform, and what it sends', async (t) => {
    assert.ok(ROWS.length > 25, 'the table was read');
    let current: Pick<Row, 'question' | 'status' | 'body'> | undefined;
    const headers = new Set<string>();
    const port = await listen(t, (request, response) => {
      for (const name of Object.keys(request.headers)) headers.add(name);
      const question = request.url?.endsWith('/systemuser/profile/') === true ? 'profile' : 'account';
      const right = question === 'profile' ? { app_account: '/accounts/42/' } : { account_id: ACCOUNT };
      if (current?.question === question) response.writeHead(current.status).end(current.body);
      else response.end(JSON.stringify(right));
    });
    const settings = { VG_API_BASE_URL: `http://127.0.0.1:${port}`, LIMIT_FAILED_AUTH: '0' };
    const service = await startTestService(t, { settings });
    const failures = (reason: string) =>
      service.metric(`vialer_middleware_platform_api_failures_total{reason="${reason}"}`);
    const tooLong = { question: 'profile', status: 200, body: 'x'.repeat(257 * 1024) } as const;
    for (const row of [...ROWS, { ...tooLong, refused: 503, reason: 'unreachable' }]) {
      current = row;
      const what = `${row.question} ${row.status} ${row.body.slice(0, 80)}`;
      const before = row.reason === '' ? 0 : await failures(row.reason);
      const { status } = await register(service.url);
      if (row.refused === undefined) assert.ok(status === 201 || status === 200, what);
      else assert.equal(status, row.refused, what);
      if (row.reason !== '') assert.equal((await failures(row.reason)) - before, 1, what);
    }
    const [, table = ''] = page.split('| Header | Value |\n');
    const documented = [...(table.split('\n\n')[0] ?? '').matchAll(/^\| `(\S+)` \|/gm)].map(
      ([, name]) => name,
    );
    assert.deepEqual([...headers].sort(), documented.sort());
  });

  it('the example answers as the document shows, and serves apps', async (t) => {
    const example = await startExample(t);
    const shown = [
      ...page.matchAll(/^\$ curl -i -u (\S+) http:\/\/127\.0\.0\.1:8090(\S+)\n([\s\S]*?)\n(?=```|\n\$)/gm),
    ];
    assert.equal(shown.length, 2);
    for (const [, login = '', path = '', text = ''] of shown) {
      const headers = { authorization: `Basic ${Buffer.from(login).toString('base64')}` };
      const { status, contentType, body } = await send(example.url, { method: 'GET', path, headers });
      assert.equal(`HTTP/1.1 ${status} OK\ncontent-type: ${contentType}\n\n${body}`, text.trimEnd());
    }
    const service = await startTestService(t, { settings: { VG_API_BASE_URL: example.url } });
    const registered = await register(service.url);
    assert.deepEqual([registered.status, registered.body], [201, '""']);
    assert.equal((await register(service.url, ACCOUNT, 'alice@example.org:wrong')).status, 401);
    assert.equal((await register(service.url, 987654321)).status, 403);
    await example.stop();
    assert.equal((await register(service.url)).status, 503);
  });
});
