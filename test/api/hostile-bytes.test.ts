import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { until } from '../../harness/until.ts';
import { newAccount, startTestService, type TestService } from '../helpers/test-service.ts';
import { asJson, send } from './http-client.ts';
import { exchange, rawRequest } from './raw-socket.ts';

const NAMES = [
  'incoming-call',
  'call-cancelled',
  'call-response',
  'apns-device',
  'gcm-device',
  'android-device',
  'hangup-reason',
  'log-metrics',
  'check-in',
];
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'PROPFIND', 'QUERY'];
const TYPES = [
  'application/json',
  'application/json; charset=utf-16',
  'application/x-www-form-urlencoded',
  'multipart/form-data; boundary=line',
  'multipart/form-data',
  'multipart/form-data; boundary=""',
  `multipart/form-data; boundary=${'b'.repeat(300)}`,
  'application/*',
  '*/*',
  'text/plain',
  '',
  ';;;',
];

/** Bodies that are nearly right, so that the random ones get past the first check. */
const nearlyRight = fc
  .record(
    {
      sip_user_id: fc.oneof(fc.constant(String(newAccount())), fc.jsonValue()),
      phonenumber: fc.oneof(fc.constant('020'), fc.jsonValue()),
      unique_key: fc.oneof(fc.string({ unit: 'binary' }), fc.jsonValue()),
      call_id: fc.oneof(fc.string({ unit: 'binary' }), fc.jsonValue()),
      message_start_time: fc.oneof(fc.double(), fc.jsonValue()),
      available: fc.jsonValue(),
      token: fc.oneof(fc.string({ unit: 'binary' }), fc.jsonValue()),
      app: fc.oneof(fc.constant('com.example.phone'), fc.jsonValue()),
      name: fc.jsonValue(),
      sandbox: fc.jsonValue(),
      ['__proto__']: fc.jsonValue(),
      constructor: fc.jsonValue(),
    },
    { requiredKeys: [] },
  )
  .map((fields) => Buffer.from(JSON.stringify(fields)));

const anyBody = fc.oneof(
  fc.uint8Array({ maxLength: 2_000 }).map((bytes) => Buffer.from(bytes)),
  fc.string({ unit: 'binary', maxLength: 500 }).map((text) => Buffer.from(text)),
  nearlyRight,
  nearlyRight.map((json) => json.subarray(0, Math.floor(json.length / 2))),
  fc.webQueryParameters().map((text) => Buffer.from(text)),
  fc
    .string({ unit: 'binary' })
    .map((text) =>
      Buffer.from(`--line\r\ncontent-disposition: form-data; name="${text}"\r\n\r\n${text}\r\n--line--`),
    ),
);

const anyPath = fc
  .tuple(
    fc.constantFrom(...NAMES.map((name) => `/api/${name}`), '/healthz', '/readyz', '/openapi.json', ''),
    fc.oneof(
      fc.constantFrom('', '/', '/?', '//'),
      fc.webPath(),
      fc.webQueryParameters().map((text) => `/?${text}`),
    ),
  )
  .map(([start, rest]) => `${start}${rest}` || '/');

/** Seconds it takes are bounded by `numRuns` alone: the rest is the time of an answer. */
const RUNS = 500;

async function assertStillServes(service: TestService): Promise<void> {
  await until(() => service.running.waiting() === 0, 'no call waits');
  const phone = await service.phone();
  const rings = async () => (await service.ask({ account: phone.account })).body === 'status=ACK';
  await until(rings, 'the service wakes phones as before');
  const faults = service.logged.filter((line) => line.message.includes('fault of this service'));
  assert.deepEqual(faults, []);
}

it('any bytes of any type with any method at any endpoint are answered, and never with 5xx', async (t) => {
  const service = await startTestService(t, { settings: { ACCOUNT_AUTH: 'none' } });
  const property = fc.asyncProperty(
    fc.constantFrom(...METHODS, 'POST', 'POST', 'POST', 'DELETE'),
    anyPath,
    fc.oneof(
      fc.constantFrom(...TYPES),
      fc.constantFrom('application/json', 'application/x-www-form-urlencoded'),
    ),
    anyBody,
    async (method, path, type, body) => {
      const head = rawRequest(method, path, [
        `Content-Length: ${body.length}`,
        `Content-Type: ${type}`,
        'Connection: close',
      ]);
      const { statuses, text } = await exchange(service.url, Buffer.concat([Buffer.from(head), body]));
      const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1]);
      assert.ok(status >= 200 && status < 500, `${status}: ${JSON.stringify(text)}`);
      assert.ok(method === 'HEAD' || statuses.length === 1, text);
      assert.ok(!text.endsWith('status=ACK'), 'no phone is there that could have answered');
    },
  );
  await fc.assert(property, { numRuns: RUNS });
  await assertStillServes(service);
});

it('any bytes instead of HTTP are answered with 4xx or cut off', async (t) => {
  const service = await startTestService(t);
  const start = fc.constantFrom(
    '',
    'GET ',
    'POST /api/check-in/ HTTP/1.1\r\n',
    'GET / HTTP/1.1\r\nHost: x\r\n',
    '\r\n\r\n',
  );
  const property = fc.asyncProperty(
    start,
    fc.uint8Array({ minLength: 1, maxLength: 500 }),
    async (text, bytes) => {
      const sent = Buffer.concat([Buffer.from(text), Buffer.from(bytes), Buffer.from('\r\n\r\n')]);
      // Our half is closed behind it: what looks like the beginning of a request will not go on.
      const answer = await exchange(service.url, sent, { half: true });
      const statuses = Array.from(answer.text.matchAll(/^HTTP\/1\.1 (\d{3})/gm), ([, status]) =>
        Number(status),
      );
      for (const status of statuses) assert.ok(status < 500, answer.text);
      assert.ok(answer.closed);
    },
  );
  await fc.assert(property, { numRuns: RUNS });
  await assertStillServes(service);
});

it('any Authorization header is 401, 403 or 503 at worst', async (t) => {
  const service = await startTestService(t, { settings: { LIMIT_FAILED_AUTH: '0' } });
  const visible = fc
    .uint8Array({ maxLength: 300 })
    .map((bytes) => Buffer.from(bytes.map((byte) => (byte < 0x20 || byte === 0x7f ? 0x20 : byte))));
  const property = fc.asyncProperty(visible, async (bytes) => {
    const typed = asJson({ sip_user_id: 123456789 });
    const head = rawRequest('POST', '/api/check-in/', [
      `Content-Type: ${typed.type}`,
      `Content-Length: ${String(typed.body).length}`,
      'Connection: close',
    ]).slice(0, -2);
    const request = [
      Buffer.from(`${head}Authorization: `),
      bytes,
      Buffer.from(`\r\n\r\n${String(typed.body)}`),
    ];
    const { statuses, text } = await exchange(service.url, Buffer.concat(request));
    assert.deepEqual(statuses, [401], text);
  });
  await fc.assert(property, { numRuns: 100 });
  await assertStillServes(service);
});

it('a body that tries to be too clever is 4xx or taken as what it says', async (t) => {
  const service = await startTestService(t, { settings: { ACCOUNT_AUTH: 'none' } });
  const account = newAccount();
  const deep = (open: string, close: string) => `${open.repeat(30_000)}${close.repeat(30_000)}`;
  const form = 'application/x-www-form-urlencoded';
  const json = 'application/json';
  const rows: readonly (readonly [string, string, string | Uint8Array, string, number])[] = [
    ['60,000 brackets', json, deep('[', ']'), 'check-in', 400],
    [
      'deep in a field that nobody reads',
      json,
      `{"sip_user_id":${account},"x":${deep('[', ']')}}`,
      'log-metrics',
      200,
    ],
    [
      'deep in a figure',
      json,
      `{"sip_user_id":${account},"hangup_reason":${deep('[', ']')}}`,
      'log-metrics',
      200,
    ],
    ['deep in a field that is read', json, `{"sip_user_id":${deep('[', ']')}}`, 'check-in', 400],
    ['deep objects', json, `${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}`, 'check-in', 400],
    ['an account in __proto__', json, `{"__proto__":{"sip_user_id":${account}}}`, 'log-metrics', 400],
    [
      'an account in constructor.prototype',
      json,
      `{"constructor":{"prototype":{"sip_user_id":${account}}}}`,
      'log-metrics',
      400,
    ],
    ['__proto__ beside an account', json, `{"__proto__":null,"sip_user_id":${account}}`, 'log-metrics', 200],
    [
      '__proto__ in a form',
      form,
      `__proto__=1&constructor=2&toString=3&sip_user_id=${account}`,
      'log-metrics',
      200,
    ],
    ['a huge number', json, `{"sip_user_id":1e999}`, 'log-metrics', 400],
    ['a number of 60,000 digits', json, `{"sip_user_id":${'1'.repeat(60_000)}}`, 'log-metrics', 400],
    ['text of 60,000 digits', json, `{"sip_user_id":"${'0'.repeat(60_000)}${account}"}`, 'log-metrics', 400],
    ['60,000 spaces', json, `{"sip_user_id":"${' '.repeat(60_000)}x"}`, 'log-metrics', 400],
    ['a fraction of 900 zeros', form, `sip_user_id=${account}.${'0'.repeat(900)}`, 'log-metrics', 200],
    ['NUL bytes', form, `sip_user_id=${account}&unique_key=%00`, 'hangup-reason', 400],
    ['NUL bytes in JSON', json, `{"sip_user_id":${account},"unique_key":"a\\u0000b"}`, 'hangup-reason', 400],
    ['half a surrogate pair', json, `{"unique_key":"\\ud800","message_start_time":1}`, 'call-response', 404],
    ['invalid UTF-8 in JSON', json, Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d]), 'call-response', 400],
    [
      'invalid UTF-8 in a form',
      form,
      Buffer.from('unique_key=\xff\xfe&message_start_time=1', 'latin1'),
      'call-response',
      404,
    ],
    ['escapes of invalid UTF-8', form, 'unique_key=%ff%c0%af&message_start_time=1', 'call-response', 404],
    ['broken escapes', form, 'unique_key=%zz%&message_start_time=1%', 'call-response', 400],
    ['a byte order mark', json, '\ufeff{"unique_key":"k","message_start_time":1}', 'call-response', 400],
    ['10,000 fields', form, 'a=1&'.repeat(10_000), 'call-response', 400],
    ['10,000 parts', 'multipart/form-data; boundary=b', '--b\r\n\r\n'.repeat(5_000), 'call-response', 400],
    ['an endless boundary', 'multipart/form-data; boundary=b', '-'.repeat(60_000), 'call-response', 400],
    ['compressed', json, Buffer.from([0x1f, 0x8b, 0x08, 0, 0, 0, 0, 0]), 'call-response', 400],
  ];
  for (const [name, type, body, endpoint, status] of rows) {
    const answer = await send(service.url, { path: `/api/${endpoint}/`, type, body });
    assert.equal(answer.status, status, `${name}: ${answer.body}`);
  }
  assert.equal(Object.getPrototypeOf({}), Object.prototype);
  await assertStillServes(service);
});
