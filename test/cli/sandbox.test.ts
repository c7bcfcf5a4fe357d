import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { owned } from '../../harness/owned.ts';
import { until } from '../../harness/until.ts';
import { readFault, withFault } from '../../src/cli/sandbox/sandbox-fault.ts';
import { createForward } from '../../src/cli/sandbox/sandbox-forward.ts';
import { readPhoneRule, withPhoneRule } from '../../src/cli/sandbox/sandbox-phone-rules.ts';
import { COMPILE_CACHE } from '../helpers/compile-cache.ts';
import { createCli } from './cli-fixture.ts';

const MAIN = new URL('../../src/main.ts', import.meta.url).pathname;
const IPHONE = 'a1'.repeat(32);
const APP = 'com.example.phone';
/** A machine that is busy with other tests takes long for a start. */
const START_LIMIT_MS = 60_000;

/** A command that runs until the test ends; `text` is what it wrote so far. */
async function start(t: TestContext, args: readonly string[], ready: RegExp, more: object = {}) {
  const env = { PATH: process.env['PATH'] ?? '', ...COMPILE_CACHE, ...more };
  const child: ChildProcess = spawn(
    ...owned(process.execPath, ['--disable-warning=ExperimentalWarning', MAIN, ...args]),
    { env, stdio: ['ignore', 'pipe', 'pipe'] },
  );
  const exited = once(child, 'exit');
  t.after(async () => {
    child.kill('SIGTERM');
    await exited;
  });
  let text = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
  await until(() => ready.test(text) || child.exitCode !== null, args.join(' '), START_LIMIT_MS);
  assert.equal(child.exitCode, null, text);
  const kill = async () => {
    child.kill('SIGKILL');
    await exited;
  };
  return { text: () => text, kill };
}

/** The sandbox with these options, and the service with the settings that it wrote. */
async function startBoth(t: TestContext, options: readonly string[]) {
  const { folder } = await createCli(t);
  const sandbox = await start(t, ['sandbox', '--folder', folder, ...options], /Stop the sandbox/);
  const service = await start(t, ['--env-file', join(folder, 'sandbox.env'), 'serve'], /"listening"/, {
    PORT: '0',
    PROMETHEUS_PORT: '0',
    EVENT_LOOP_LIMIT: '0',
    APP_PUSH_ROUNDTRIP_WAIT: '2000',
  });
  const [, url = ''] = /"url":"([^"]+)"/.exec(service.text()) ?? [];
  const post = (path: string, fields: Record<string, string>, login = '') =>
    fetch(url + path, {
      method: 'POST',
      body: new URLSearchParams(fields),
      headers: { authorization: `Basic ${btoa(login)}` },
    });
  return {
    text: sandbox.text,
    register: async (account: number, token: string, login = `${account}:any`) => {
      const path = token === IPHONE ? '/api/apns-device/' : '/api/android-device/';
      return (await post(path, { sip_user_id: String(account), app: APP, token }, login)).status;
    },
    call: async (account: number) => {
      const answer = await post('/api/incoming-call/', { sip_user_id: String(account), phonenumber: '0201' });
      return answer.headers.get('x-wake-outcome');
    },
  };
}

/** A server of the developer's that keeps what is posted; `answer: false` never answers. */
async function startReceiver(t: TestContext, answer = true) {
  const bodies: string[] = [];
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += String(chunk);
    bodies.push(body);
    if (answer) response.end();
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  return { url: `http://127.0.0.1:${address.port}/push?key=hunter2`, bodies };
}

describe('sandbox', () => {
  it('every account has a phone that does as --phone says; pushes are printed and forwarded', async (t) => {
    const receiver = await startReceiver(t);
    const scene = await startBoth(t, [
      ...['--phone', 'silent', '--phone', `${IPHONE}=answers`, '--phone', 'declining=declines'],
      ...['--phone', 'the-dead-one=dead-token', '--phone', 'unwanted=refused', '--phone', 'slow-one=slow'],
      ...['--fault', 'faulty=answer:400:INVALID_ARGUMENT', '--forward', receiver.url],
    ]);
    const cases = [
      [123_456_789, IPHONE, 'ready'],
      [987_654_321, 'declining', 'declined'],
      [100_000_000, 'the-dead-one', 'token-gone'],
      [555_555_555, 'unwanted', 'push-failed'],
      [555_555_556, 'slow-one', 'timed-out'],
      [555_555_557, 'a-silent-phone', 'timed-out'],
      [999_999_999, 'faulty', 'token-gone'],
    ] as const;
    for (const [account, token, outcome] of cases) {
      assert.equal(await scene.register(account, token), 201, token);
      assert.equal(await scene.call(account), outcome, token);
    }
    assert.equal(await scene.call(100_000_000), 'no-device', 'a dead token is forgotten');
    assert.equal(await scene.register(123_456_789, 'x', '123456788@example.com:any'), 403);
    assert.equal(await scene.register(123_456_789, 'x', 'somebody@example.com:any'), 401);

    const { text } = scene;
    assert.doesNotMatch(text(), /APP_PUSH_ROUNDTRIP_WAIT/, 'phones answer within the usual wait');
    assert.match(text(), /^# 1\. .*npm run -s cli -- --env-file \S+ serve$/m);
    assert.match(text(), /^# APNs: push to a1a1a1a1… \{.*"phonenumber":"0201".*\}$/m);
    assert.match(text(), /^# FCM: the app answers available=false$/m);
    assert.match(text(), /^# FCM: push to the-dead… meets 404 UNREGISTERED$/m);
    assert.match(text(), /^# FCM: push to faulty meets 400 INVALID_ARGUMENT$/m);
    const printed = text().slice(text().indexOf('Stop the sandbox'));
    assert.ok(!printed.includes(IPHONE) && !printed.includes('the-dead-one'), 'tokens are shortened');
    await until(() => receiver.bodies.length >= 3, 'the forwarded pushes');
    const first: unknown = JSON.parse(receiver.bodies[0] ?? '');
    assert.ok(typeof first === 'object' && first !== null && 'headers' in first && 'payload' in first);
    assert.ok('service' in first && first.service === 'APNs' && 'token' in first && first.token === IPHONE);
    assert.match(JSON.stringify(first.headers), /"apns-topic":"com\.example\.phone\.voip"/);
    assert.match(JSON.stringify(first.payload), /"phonenumber":"0201"/);
    assert.doesNotMatch(receiver.bodies.join(''), /authorization|bearer/i);
  });

  it('with --no-phone a person answers with the command that the push brings', async (t) => {
    const scene = await startBoth(t, ['--no-phone']);
    assert.match(scene.text(), /^export APP_PUSH_ROUNDTRIP_WAIT=30000$/m, 'enough time for a person');
    assert.match(scene.text(), /^# .*A call waits 30 s for the answer/m);
    assert.equal(await scene.register(123_456_789, IPHONE), 201);
    const called = scene.call(123_456_789);
    const command = /to answer: curl -i ((?:-d \S+ )+)(\S+)$/m;
    await until(() => command.test(scene.text()), 'the command');
    const [, words = '', address = ''] = command.exec(scene.text()) ?? [];
    const body = words.trim().replaceAll(/ ?-d /g, '&').slice(1);
    const answer = await fetch(address, { method: 'POST', body: new URLSearchParams(body) });
    assert.deepEqual([answer.status, await called], [202, 'ready']);
  });

  it('a folder serves one sandbox at a time, which a second one leaves as it is', async (t) => {
    const cli = await createCli(t);
    const args = ['sandbox', '--folder', cli.folder];
    const first = await start(t, args, /Stop the sandbox/);
    assert.match(first.text(), /new at each start: restart a service that runs/);
    const files = () =>
      Promise.all(['ca.pem', 'sandbox.env'].map((name) => readFile(join(cli.folder, name))));
    const before = await files();
    const second = await cli.run(args);
    assert.deepEqual(
      [second.code, second.all],
      [1, `--folder: another sandbox uses ${cli.folder}: stop it or give another folder.\n`],
    );
    assert.deepEqual(await files(), before);
    await first.kill();
    await start(t, args, /Stop the sandbox/);
  });

  it('what cannot be done ends with one line and exit code 1 or 2', async (t) => {
    const cli = await createCli(t);
    const file = await cli.file('file', '');
    const busy = createServer();
    await once(busy.listen(0, '127.0.0.1'), 'listening');
    t.after(() => busy.close());
    const address = busy.address();
    assert.ok(typeof address === 'object' && address !== null);
    const cases = [
      [['--folder', join(file, 'x')], 2, /^--folder: \S+ cannot be created or written \(\w+\): give another/],
      // The second port of the four: the first, which listens by then, is closed again.
      [['--port-base', String(address.port - 1)], 1, /^--port-base: port \d+ of \d+ to \d+ is in use/],
      [['--no-phone', '--phone', 'slow'], 2, /'slow' is invalid.*cannot be combined with --no-phone/],
      [['--phone', 'slow', '--no-phone'], 2, /^--phone and --no-phone exclude each other\.\n$/],
      [['--phone', 'x=sleeps'], 2, /'x=sleeps' is invalid\. It must be one of answers, .*TOKEN=/],
      [
        ['--phone', 'silent', '--phone', 'declines'],
        2,
        /An earlier --phone already says what all phones do\./,
      ],
      [
        ['--fault', 'hang', '--fault', 'refuse@2'],
        2,
        /An earlier --fault without @TIMES hits every such push\./,
      ],
      [['--folder', ''], 2, /'--folder <path>' argument '' is invalid\. It must name a folder\./],
      [['--forward', 'file:///etc/passwd'], 2, /It must be an absolute http/],
    ] as const;
    for (const [args, exit, words] of cases) {
      const { code, stderr } = await cli.run(['sandbox', ...args]);
      assert.equal(code, exit, args.join(' '));
      assert.match(stderr, words);
    }
  });
});

it('what is wrong with a phone or a fault is named', () => {
  const rule = readPhoneRule('x=silent');
  const always = readFault('x=hang');
  const cases = [
    [() => readPhoneRule('my token=silent'), /No phone registers this token: it must not contain a space\./],
    [() => withPhoneRule([rule], readPhoneRule('x=slow')), /An earlier --phone already says what this phone/],
    [() => readFault('delay'), /Write it as delay:MS\[@TIMES\]; MS is a whole number from 0 to 600000\./],
    [() => readFault('delay:-1'), /Write it as delay:MS\[@TIMES\]; MS is a whole number from 0 to 600000\./],
    [() => readFault('answer:503@0'), /@TIMES must be a whole number from 1 to 999999\./],
    [() => readFault('answer:503@twice'), /@TIMES must be a whole number/],
    [
      () => readFault('reset:14'),
      /CODE is from 0 to 13, or its name: NO_ERROR, .*, CANCEL, .*HTTP_1_1_REQUIRED\./,
    ],
    [() => readFault('hang:1'), /Write it as hang\[@TIMES\]\./],
    [() => readFault('to ken=hang'), /No phone registers this token: it must not contain a space\./],
    [() => readFault('earthquake'), /KIND is one of answer, delay/],
  ] as const;
  for (const [read, words] of cases) assert.throws(read, words);
  const others = ['y=hang', 'hang'].map(readFault);
  assert.equal(others.reduce(withFault, [always]).length, 3, 'other phones are not concerned');
  assert.equal(withFault([readFault('x=hang@1')], always).length, 2, 'what ends leaves pushes for the next');
});

it('a fault is read with its token, times and delivery', () => {
  const cases = [
    ['hang', { kind: 'hang' }, {}],
    [
      'answer:503:ServiceUnavailable@2',
      { kind: 'answer', status: 503, reason: 'ServiceUnavailable' },
      { times: 2 },
    ],
    ['fcm:a=b=delay:2000', { kind: 'delay', ms: 2_000 }, { token: 'fcm:a=b' }],
    ['reset:CANCEL', { kind: 'reset', code: 8 }, {}],
    ['reset:8', { kind: 'reset', code: 8 }, {}],
    ['goaway', { kind: 'goaway', processed: false, reason: 'Shutdown' }, {}],
    ['x=mute:reset@1+delivered', { kind: 'mute', fresh: 'reset' }, { token: 'x', times: 1, delivered: true }],
  ] as const;
  for (const [text, fault, scope] of cases)
    assert.deepEqual(readFault(text), { fault, scope: { delivered: false, ...scope } }, text);
});

describe('--forward', () => {
  const push = { token: 't', headers: {}, payload: { type: 'call' }, at: 0 };

  it('reports what goes wrong in a line without the query of the address, and leaves pushes out when too many wait', async (t) => {
    const silent = await startReceiver(t, false);
    const lines: string[] = [];
    const forward = createForward(silent.url, (line) => lines.push(line));
    t.after(() => forward.close());
    for (let count = 0; count < 17; count += 1) forward.push('FCM', push);
    assert.equal(lines.length, 1);
    assert.match(lines[0] ?? '', /a push is left out, 16 wait/);
    await until(() => silent.bodies.length === 16, 'the others');
    const dead = createForward('http://127.0.0.1:1/push?key=hunter2', (line) => lines.push(line));
    dead.push('FCM', push);
    await until(() => lines.length === 2, 'the report');
    assert.match(
      lines[1] ?? '',
      /^--forward: http:\/\/127\.0\.0\.1:1\/push did not take the push \(ECONNREFUSED\)$/,
    );
  });
});
