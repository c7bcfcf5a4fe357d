import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, it } from 'node:test';
import { skipWithout } from '../../harness/find-server.ts';
import { owned } from '../../harness/owned.ts';
import { startTinyproxy } from '../helpers/forward-proxy.ts';
import { createCli } from './cli-fixture.ts';
import { APP, createCliInWorld } from './world-fixture.ts';

/** Where nothing listens: a command that goes by it fails. */
const DEAD = 'http://me:hunter2@127.0.0.1:1';
const ANDROID = { account: 123456789, platform: 'android', appId: APP, token: 'fcm:some-token' } as const;

describe('config check', () => {
  it('shows which proxy applies to what, and no password', async (t) => {
    const cli = await createCli(t);
    const settings = {
      HTTPS_PROXY: 'http://me:hunter2@proxy.example.com:3128',
      PUSH_PROXY: 'https://you:hunter2@push-proxy.example.com',
      NO_PROXY: 'api.push.apple.com:443',
      ACCOUNT_AUTH: 'voipgrid',
      VG_API_BASE_URL: 'https://accounts.example.com',
    };
    const [text, json] = await Promise.all([
      cli.run(['config', 'check'], settings),
      cli.run(['config', 'check', '--json'], settings),
    ]);
    assert.equal(text.code, 0);
    for (const line of [
      /^HTTPS_PROXY +http:\/\/\(hidden\)@proxy\.example\.com:3128 +environment$/m,
      /^PUSH_PROXY +https:\/\/\(hidden\)@push-proxy\.example\.com:443 +environment$/m,
      /^NO_PROXY +api\.push\.apple\.com:443 +environment$/m,
      /^APNs +https:\/\/api\.push\.apple\.com +directly \(NO_PROXY\)$/m,
      /^APNs sandbox +https:\/\/api\.sandbox\.push\.apple\.com +through https:\/\/push-proxy\.example\.com:443 \(PUSH_PROXY\)$/m,
      /^FCM +https:\/\/fcm\.googleapis\.com +through https:\/\/push-proxy\.example\.com:443 \(PUSH_PROXY\)$/m,
      /^Google access tokens +https:\/\/oauth2\.googleapis\.com +through https:\/\/push-proxy\S+ \(PUSH_PROXY\)$/m,
      /^platform API +https:\/\/accounts\.example\.com +through http:\/\/proxy\.example\.com:3128 \(HTTPS_PROXY\)$/m,
    ]) {
      assert.match(text.stdout, line);
    }
    const report: unknown = JSON.parse(json.stdout);
    assert.ok(typeof report === 'object' && report !== null && 'destinations' in report);
    assert.ok(Array.isArray(report.destinations));
    assert.deepEqual(report.destinations.at(-1), {
      destination: 'platform API',
      origin: 'https://accounts.example.com',
      proxy: 'http://proxy.example.com:3128',
      setting: 'HTTPS_PROXY',
    });
    assert.ok(!/hunter2/.test(text.all + json.all));
  });

  it('says what is wrong with a proxy, and without one that all is reached directly', async (t) => {
    const cli = await createCli(t);
    const [bad, none] = await Promise.all([
      cli.run(['config', 'check'], { HTTPS_PROXY: 'http://me:hunter2@proxy:port' }),
      cli.run(['config', 'check']),
    ]);
    assert.equal(bad.code, 2);
    assert.match(bad.stdout, /^Problem: HTTPS_PROXY must be http:\/\/host:port/m);
    assert.ok(!bad.all.includes('hunter2'));
    assert.match(none.stdout, /^FCM +https:\/\/fcm\.googleapis\.com +directly$/m);
  });
});

it('commands that push go through the proxy', { skip: skipWithout('tinyproxy') }, async (suite) => {
  const cli = await createCliInWorld(suite);
  await cli.register(ANDROID);

  await suite.test('apps check and devices wake --direct', async (t) => {
    const proxy = await startTinyproxy(t);
    const settings = { HTTPS_PROXY: proxy.url };
    const [checked, woken] = await Promise.all([
      cli.run(['apps', 'check'], settings),
      cli.run(['devices', 'wake', '123456789', '--direct'], settings),
    ]);
    assert.deepEqual([checked.code, checked.stderr, woken.code], [0, '', 0]);
    const asked = new Set(proxy.asked());
    for (const url of [cli.world.settings.APNS_URL, cli.world.settings.FCM_URL]) {
      assert.ok(asked.has(new URL(url).host), url);
    }
  });

  await suite.test('and say what is wrong with it', async (t) => {
    const proxy = await startTinyproxy(t, { login: { user: 'me', password: 'right' } });
    const settings = { HTTPS_PROXY: proxy.urlFor('me', 'hunter2') };
    const [checked, woken] = await Promise.all([
      cli.run(['apps', 'check'], settings),
      cli.run(['devices', 'wake', '123456789', '--direct'], settings),
    ]);
    assert.deepEqual([checked.code, woken.code], [1, 1]);
    assert.match(checked.stdout, /^unclear +android .*refuses the user or password in HTTPS_PROXY/m);
    assert.match(
      checked.stdout,
      /^unclear +apns .* proxy-refused .*refuses the user or password in HTTPS_PROXY/m,
    );
    assert.match(woken.stdout, /^ {2}connect +.*refuses the user or password in HTTPS_PROXY/m);
    assert.ok(!/hunter2/.test(checked.all + woken.all));
  });

  await suite.test('apps check names the token endpoint where only that is refused', async (t) => {
    const { host } = new URL(cli.world.settings.FCM_URL);
    const proxy = await startTinyproxy(t, { refused: [host] });
    // A server that the proxy lets through stands for FCM; the token endpoint stays where the account has it.
    const settings = { HTTPS_PROXY: proxy.url, FCM_URL: cli.world.apple.origin };
    const checked = await cli.run(['apps', 'check', '--platform', 'android'], settings);
    assert.equal(checked.code, 1);
    assert.match(
      checked.stdout,
      new RegExp(`^unclear +android .*Google's token endpoint: .*refuses a tunnel to ${host}: 403`, 'm'),
    );
  });
});

describe('the stand-ins on loopback work where a proxy is set', () => {
  it('demo wakes its phones', async (t) => {
    const cli = await createCli(t);
    const demo = await cli.run(['demo'], { HTTPS_PROXY: DEAD, http_proxy: DEAD, PUSH_PROXY: DEAD });
    assert.deepEqual([demo.code, demo.stderr], [0, '']);
    assert.match(demo.stdout, /Two phones were woken/);
  });

  it('sandbox prints a no_proxy that keeps what was excepted before, and only then', async (t) => {
    const cli = await createCli(t);
    const [proxied, plain] = await Promise.all([
      printedBySandbox(cli.folder, { HTTPS_PROXY: DEAD, NO_PROXY: 'example.com, 10.0.0.0/8' }, 'a'),
      printedBySandbox(cli.folder, {}, 'b'),
    ]);
    assert.ok(
      proxied.includes('export no_proxy=example.com,10.0.0.0/8,localhost,127.0.0.1'),
      proxied.join('\n'),
    );
    assert.ok(!plain.some((line) => line.includes('no_proxy')));
  });
});

/** The lines with settings that `sandbox` prints; it is stopped then. */
async function printedBySandbox(
  folder: string,
  env: Readonly<Record<string, string>>,
  name: string,
): Promise<string[]> {
  const main = new URL('../../src/main.ts', import.meta.url).pathname;
  const child = spawn(
    ...owned(process.execPath, [
      '--disable-warning=ExperimentalWarning',
      main,
      'sandbox',
      '--folder',
      join(folder, name),
    ]),
    { env: { PATH: process.env['PATH'] ?? '', ...env }, stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const lines: string[] = [];
  try {
    for await (const line of createInterface({ input: child.stdout })) {
      if (!line.startsWith('export ')) break;
      lines.push(line);
    }
    return lines;
  } finally {
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    await ended;
  }
}
