import assert from 'node:assert/strict';
import { networkInterfaces } from 'node:os';
import { it, type TestContext } from 'node:test';
import { startTestService, type TestService } from '../helpers/test-service.ts';
import { type Answered, asForm, send } from './http-client.ts';

const TOKEN = 'pbx-secret-0123456789abcdef';

/** Some containers have no IPv6, not even on loopback. */
const withIpv6 = Object.values(networkInterfaces()).some((list) =>
  list?.some(({ address }) => address === '::1'),
);
const needsIpv6 = { skip: withIpv6 ? false : 'this machine has no ::1' };

/** What a PBX gets when it may ask: the phone is woken. */
const ALLOWED = [200, 'status=ACK', 'text/plain; charset=utf-8'];

interface Attempt {
  readonly name: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly allowed: boolean;
  /** What the refusal's sentence speaks of. */
  readonly sentence?: RegExp;
}

/** Asks as each PBX; who is refused gets 403 with words, and no phone is woken for them. */
async function checkAttempts(
  t: TestContext,
  settings: Readonly<Record<string, string>>,
  attempts: readonly Attempt[],
): Promise<void> {
  const service = await startTestService(t, { settings: { APP_PUSH_ROUNDTRIP_WAIT: '20000', ...settings } });
  for (const attempt of attempts) {
    await t.test(attempt.name, async () => checkAttempt(service, attempt));
  }
}

async function checkAttempt(service: TestService, attempt: Attempt): Promise<void> {
  const phone = await service.phone();
  const ask = (path: string, fields: Readonly<Record<string, string>>): Promise<Answered> =>
    send(service.url, { path, ...asForm(fields), headers: { ...attempt.headers } });
  const call = await ask('/api/incoming-call/', { sip_user_id: String(phone.account), phonenumber: '020' });
  const cancel = await ask('/api/call-cancelled/', { call_id: 'not waiting' });
  if (attempt.allowed) {
    assert.deepEqual([call.status, call.body, call.contentType], ALLOWED);
    assert.equal(cancel.status, 404);
    return;
  }
  for (const answer of [call, cancel]) {
    assert.deepEqual([answer.status, answer.contentType], [403, 'text/plain; charset=utf-8']);
    assert.match(answer.body, /^Refused: /);
    assert.match(answer.body, attempt.sentence ?? /./);
    assert.ok(!answer.body.includes('status=ACK'));
    assert.equal(answer.headers['x-wake-outcome'], undefined);
  }
  assert.equal(phone.pushes(), 0, 'no phone is woken');
  assert.equal(service.running.waiting(), 0);
}

it('with no settings a PBX on this machine may ask, and nothing that a proxy hands on', (t) =>
  checkAttempts(t, {}, [
    { name: 'loopback', allowed: true },
    { name: 'a token is not looked at', headers: { authorization: 'Bearer whatever' }, allowed: true },
    {
      name: 'forwarded by a proxy that nobody named',
      headers: { 'x-forwarded-for': '127.0.0.1' },
      allowed: false,
      sentence: /TRUST_PROXY/,
    },
    {
      name: 'forwarded with an empty list',
      headers: { 'x-forwarded-for': '' },
      allowed: false,
      sentence: /TRUST_PROXY/,
    },
    ...['forwarded', 'x-real-ip', 'x-forwarded-host', 'x-forwarded-proto'].map((name) => ({
      name: `forwarded, as only ${name} tells`,
      headers: { [name]: 'for=127.0.0.1' },
      allowed: false,
      sentence: /TRUST_PROXY/,
    })),
  ]));

it('a trusted proxy that does not say whose request it is does not let everybody in as itself', (t) =>
  checkAttempts(t, { TRUST_PROXY: '127.0.0.1' }, [
    { name: 'not forwarded: the machine itself', allowed: true },
    {
      name: 'forwarded without X-Forwarded-For',
      headers: { 'x-real-ip': '203.0.113.9' },
      allowed: false,
      sentence: /X-Forwarded-For/,
    },
  ]));

it('PBX_ALLOW without this machine refuses it', (t) =>
  checkAttempts(t, { PBX_ALLOW: '192.0.2.0/24, 2001:db8::/32' }, [
    {
      name: 'loopback',
      allowed: false,
      sentence: /127\.0\.0\.1 \(the address of the connection\) is not in PBX_ALLOW/,
    },
    {
      name: 'an address that only the client claims',
      headers: { 'x-forwarded-for': '192.0.2.7' },
      allowed: false,
      sentence: /forwarded by 127\.0\.0\.1, a proxy that TRUST_PROXY does not name/,
    },
  ]));

it('PBX_TOKEN alone: any address, the right bearer token', (t) =>
  checkAttempts(t, { PBX_TOKEN: TOKEN }, [
    { name: 'right', headers: { authorization: `Bearer ${TOKEN}` }, allowed: true },
    { name: 'the scheme in any letter case', headers: { authorization: `bEARER  ${TOKEN}` }, allowed: true },
    {
      name: 'forwarded, since addresses are not looked at',
      headers: { authorization: `Bearer ${TOKEN}`, 'x-forwarded-for': '203.0.113.5' },
      allowed: true,
    },
    { name: 'missing', allowed: false, sentence: /PBX_TOKEN/ },
    { name: 'empty', headers: { authorization: 'Bearer ' }, allowed: false, sentence: /PBX_TOKEN/ },
    { name: 'wrong', headers: { authorization: `Bearer ${TOKEN}x` }, allowed: false },
    {
      name: 'only its beginning',
      headers: { authorization: `Bearer ${TOKEN.slice(0, -1)}` },
      allowed: false,
    },
    {
      name: 'in another letter case',
      headers: { authorization: `Bearer ${TOKEN.toUpperCase()}` },
      allowed: false,
    },
    { name: 'another scheme', headers: { authorization: `Token ${TOKEN}` }, allowed: false },
    { name: 'no scheme', headers: { authorization: TOKEN }, allowed: false },
    { name: 'with a second word', headers: { authorization: `Bearer ${TOKEN} x` }, allowed: false },
    {
      name: 'as a Basic password',
      headers: { authorization: `Basic ${Buffer.from(`pbx:${TOKEN}`).toString('base64')}` },
      allowed: false,
    },
  ]));

it('PBX_ALLOW and PBX_TOKEN: both must hold', async (t) => {
  const headers = { authorization: `Bearer ${TOKEN}` };
  await t.test('address right', (t) =>
    checkAttempts(t, { PBX_TOKEN: TOKEN, PBX_ALLOW: '127.0.0.1' }, [
      { name: 'token right', headers, allowed: true },
      { name: 'token missing', allowed: false, sentence: /PBX_TOKEN/ },
    ]),
  );
  await t.test('address wrong', (t) =>
    checkAttempts(t, { PBX_TOKEN: TOKEN, PBX_ALLOW: '10.0.0.0/8' }, [
      { name: 'token right', headers, allowed: false, sentence: /PBX_ALLOW/ },
      { name: 'token missing', allowed: false, sentence: /PBX_ALLOW/ },
    ]),
  );
});

it('TRUST_PROXY: the last address that no trusted proxy added is the PBX', (t) =>
  checkAttempts(t, { TRUST_PROXY: '127.0.0.0/8 10.1.0.0/16', PBX_ALLOW: '192.0.2.0/24, 2001:db8::/32' }, [
    { name: 'allowed', headers: { 'x-forwarded-for': '192.0.2.7' }, allowed: true },
    { name: 'allowed, IPv6', headers: { 'x-forwarded-for': '2001:db8::7' }, allowed: true },
    { name: 'allowed, IPv4 as IPv6', headers: { 'x-forwarded-for': '::ffff:192.0.2.7' }, allowed: true },
    {
      name: 'allowed, through a second proxy',
      headers: { 'x-forwarded-for': '192.0.2.7, 10.1.2.3' },
      allowed: true,
    },
    {
      name: 'another address',
      headers: { 'x-forwarded-for': '203.0.113.9' },
      allowed: false,
      sentence: /PBX_ALLOW/,
    },
    {
      name: 'another address that claims an allowed one before it',
      headers: { 'x-forwarded-for': '192.0.2.7, 203.0.113.9' },
      allowed: false,
    },
    {
      name: 'a proxy that is not trusted in between',
      headers: { 'x-forwarded-for': '192.0.2.7, 10.2.0.1, 10.1.2.3' },
      allowed: false,
    },
    ...[
      '192.0.2.7:1234',
      '192.0.2.7:',
      '2001:db8::1',
      '[2001:db8::1]',
      '[2001:db8::1]:4711',
      '"[2001:db8::1]:4711"',
      '"192.0.2.7:1234"',
      '  192.0.2.7:1234  ',
      '::ffff:192.0.2.7',
      '[::ffff:192.0.2.7]:1234',
      '2001:db8::1%eth0',
      '203.0.113.9, 192.0.2.7:1234, 10.1.2.3:4444',
      '192.0.2.7:1234,[::ffff:10.1.2.3]:4444',
    ].map((value) => ({ name: `allowed: ${value}`, headers: { 'x-forwarded-for': value }, allowed: true })),
    ...(
      [
        ['203.0.113.9:1234', /203\.0\.113\.9 \(from X-Forwarded-For\) is not in PBX_ALLOW/],
        ['[2001:db9::1]:4711', /2001:db9::1 \(from X-Forwarded-For\) is not in PBX_ALLOW/],
        ['::ffff:203.0.113.9', / 203\.0\.113\.9 \(from/],
        ['fe80::1%eth0', / fe80::1 \(from/],
        ['192.0.2.7, 203.0.113.9:1', / 203\.0\.113\.9 \(from/],
        ['unknown', /unknown \(from X-Forwarded-For\) is not an IP address, and so not in PBX_ALLOW/],
        ['', /the proxy in front does not say in X-Forwarded-For/],
        [' , ', /the proxy in front does not say in X-Forwarded-For/],
        ['192.0.2.7:x', /192\.0\.2\.7:x \(from X-Forwarded-For\) is not an IP address/],
        ['192.0.2.7.1:1', /192\.0\.2\.7\.1:1 \(from X-Forwarded-For\) is not an IP address/],
        ['192.0.2.7:1:2', /is not an IP address/],
        ['192.0.2.7]:1', /is not an IP address/],
        ['[192.0.2.7', /is not an IP address/],
        ['status=ACK', /status\?ACK \(from/],
        ['<b>\u00e9', /\?b\?\? \(from/],
        ['x'.repeat(5_000), /^Refused: x{64} \(from/],
      ] as const
    ).map(([value, sentence]) => ({
      name: `refused and named: ${value.slice(0, 40)}`,
      headers: { 'x-forwarded-for': value },
      allowed: false,
      sentence,
    })),
    { name: 'another header', headers: { 'x-real-ip': '192.0.2.7' }, allowed: false },
    { name: 'not forwarded: the proxy itself', allowed: false, sentence: /PBX_ALLOW/ },
  ]));

it('the log names the address that was checked, and where it comes from', async (t) => {
  const service = await startTestService(t, {
    settings: { TRUST_PROXY: '127.0.0.1', PBX_ALLOW: '192.0.2.0/24' },
  });
  const rows = [
    [undefined, '127.0.0.1', 'connection'],
    ['203.0.113.9:5555', '203.0.113.9', 'X-Forwarded-For'],
    ['127.0.0.1', '127.0.0.1', 'X-Forwarded-For'],
    ['no\u00e4ddress', 'no?ddress', 'X-Forwarded-For'],
  ] as const;
  for (const [forwardedFor, address, addressFrom] of rows) {
    service.logged.length = 0;
    const headers: Record<string, string> =
      forwardedFor === undefined ? {} : { 'x-forwarded-for': forwardedFor };
    await send(service.url, { path: '/api/incoming-call/', ...asForm({}), headers });
    const line = service.logged.find(({ message }) => message === 'request refused');
    assert.deepEqual(line?.fields, { endpoint: 'pbx', why: 'address', address, addressFrom });
  }
});

it('the log and the figures name the reason of each refusal', async (t) => {
  const rows = [
    [{}, { 'x-forwarded-for': '127.0.0.1' }, 'untrusted-proxy'],
    [{ TRUST_PROXY: '127.0.0.1' }, { 'x-real-ip': '203.0.113.9' }, 'untrusted-proxy'],
    [{ PBX_ALLOW: '192.0.2.0/24' }, {}, 'address'],
    [{ PBX_TOKEN: TOKEN }, {}, 'token'],
  ] as const;
  for (const [settings, headers, why] of rows) {
    const service = await startTestService(t, { settings });
    for (const path of ['/api/incoming-call/', '/api/call-cancelled/'])
      await send(service.url, { path, ...asForm({}), headers });
    const refusals = service.logged.filter(({ message }) => message === 'request refused');
    assert.deepEqual(
      refusals.map(({ fields }) => fields['why']),
      [why, why],
    );
    const series = `vialer_middleware_requests_refused_total{endpoint="pbx",why="${why}"}`;
    assert.equal(await service.metric(series), 2);
  }
});

it('a PBX that reaches the service over IPv6 is judged by its own address', needsIpv6, async (t) => {
  const over = (settings: Readonly<Record<string, string>>) =>
    startTestService(t, { settings: { HOST: '::1', ...settings } });
  const services = [
    [await over({}), 200],
    [await over({ PBX_ALLOW: '::1/128' }), 200],
    [await over({ PBX_ALLOW: '127.0.0.0/8' }), 403],
  ] as const;
  for (const [service, status] of services) {
    const answer = await send(service.url, {
      path: '/api/incoming-call/',
      ...asForm({ sip_user_id: '123456789', phonenumber: '1' }),
    });
    assert.equal(answer.status, status);
  }
});

it('a listener for both families sees an IPv4 address as IPv6 and still knows it', needsIpv6, async (t) => {
  const service = await startTestService(t, {
    settings: { HOST: '::', APP_API_URL: 'https://push.example.org', PBX_ALLOW: '127.0.0.1/32' },
  });
  const { port } = new URL(service.url);
  const ask = (host: string) =>
    send(`http://${host}:${port}`, {
      path: '/api/incoming-call/',
      ...asForm({ sip_user_id: '123456789', phonenumber: '1' }),
    });
  assert.equal((await ask('127.0.0.1')).body, 'status=NAK');
  assert.equal((await ask('[::1]')).status, 403);
});

it('whoever is refused hears it before anything in the request is looked at', async (t) => {
  const service = await startTestService(t, { settings: { PBX_TOKEN: TOKEN } });
  const rows = [
    { method: 'POST', type: 'application/json', body: '{' },
    { method: 'POST', type: 'text/plain', body: 'x' },
    { method: 'POST', type: 'application/json', body: 'x'.repeat(100_000) },
    { method: 'GET', type: undefined, body: undefined },
  ];
  for (const row of rows) {
    assert.equal((await send(service.url, { path: '/api/incoming-call/', ...row })).status, 403);
  }
  const other = await send(service.url, { path: '/api/call-response/', ...asForm({}) });
  assert.equal(other.status, 400, 'apps need no PBX token');
  assert.equal((await send(service.url, { method: 'GET', path: '/healthz' })).status, 200);
});
