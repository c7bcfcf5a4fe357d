import assert from 'node:assert/strict';
import { createHash, generateKeyPairSync } from 'node:crypto';
import { describe, it } from 'node:test';
import { inspect } from 'node:util';
import fc from 'fast-check';
import { errorStack, errorWords } from '../../src/telemetry/describe-error.ts';
import { redact, scrub } from '../../src/telemetry/redaction.ts';

const BASE64URL = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'];
const BASE64 = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'];
const HEX = [...'0123456789abcdef'];
const VISIBLE = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!#$%&*+-.=?^_~'];
function text(units: readonly string[], minLength: number, maxLength = minLength) {
  return fc.string({ unit: fc.constantFrom(...units), minLength, maxLength });
}

/** A secret, and how it stands in a text: `at` replaces `§` by the secret. */
interface Shape {
  readonly secret: fc.Arbitrary<string>;
  readonly around: readonly string[];
}

const KEYS = [
  generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'pkcs8', format: 'pem' }),
  generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ type: 'pkcs8', format: 'pem' }),
  generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'sec1', format: 'pem' }),
].map(String);

function digits(minLength: number, maxLength: number) {
  return fc
    .tuple(fc.constantFrom(...'123456789'), text([...'0123456789'], minLength - 1, maxLength - 1))
    .map((parts) => parts.join(''));
}

const SHAPES: Readonly<Record<string, Shape>> = {
  'push token of Apple': {
    secret: fc.oneof(
      text(HEX, 64),
      text(HEX, 160),
      text(HEX, 64).map((hex) => hex.toUpperCase()),
    ),
    around: ['§', '/3/device/§', '<§>', 'device_§_x'],
  },
  'push token of Google': {
    secret: fc
      .tuple(text(BASE64URL, 11, 22), text(BASE64URL, 60, 140))
      .map(([id, rest]) => `${id}:APA91b${rest}`),
    around: ['§', 'registration/§'],
  },
  JWT: {
    secret: fc
      .tuple(text(BASE64URL, 20, 60), text(BASE64URL, 40, 200), text(BASE64URL, 40, 86))
      .map(([head, body, sign]) => `eyJ${head}.eyJ${body}.${sign}`),
    around: ['§', 'bearer §', 'authorization: bearer §'],
  },
  "Google's access token": {
    secret: text(BASE64URL, 60, 200).map((rest) => `ya29.${rest}`),
    around: ['§', 'Bearer §'],
  },
  'Bearer credential': {
    secret: text(VISIBLE, 16, 80),
    around: ['Bearer §', 'bearer §', 'authorization: Bearer §', 'Authorization=bearer §'],
  },
  'password of Redis': {
    secret: text(VISIBLE, 8, 40),
    around: [
      'AUTH §',
      'AUTH default §',
      'AUTH alice §',
      'HELLO 3 AUTH alice §',
      '*2\r\n$4\r\nAUTH\r\n$9\r\n§\r\n',
      '["AUTH","§"]',
      "{ name: 'auth', args: [ 'alice', '§' ] }",
    ],
  },
  'password in prose': {
    // Only letters could as well be the next word.
    secret: text(BASE64URL, 6, 40).map((rest) => `p${rest}7`),
    around: ['password §', 'the token §', 'pass §', 'secret is §', 'password "§"'],
  },
  'Basic credential': {
    secret: text(BASE64, 16, 60).map((rest) => `${rest}==`),
    around: ['Basic §', "'authorization': 'Basic §'"],
  },
  'Token credential': {
    secret: fc
      .tuple(text(BASE64URL, 4, 12), text(HEX, 40))
      .map(([user, key]) => `${user}@example.com:${key}`),
    around: ['Token §', 'token §', 'authorization: Token §'],
  },
  'password of an address': {
    secret: text([...VISIBLE, '/', '@', ':'], 8, 30).map((rest) => `p${rest}w`),
    around: [
      'postgres://u:§@db:5432/x',
      'rediss://:§@[::1]:6379',
      'http://user:§@proxy.example:3128',
      'mysql://u:§@h/d',
    ],
  },
  'named value': {
    secret: text(BASE64URL, 8, 40),
    around: [
      'password=§',
      'pass=§',
      'pass: §',
      'wrong password: § was sent',
      '"password": "§"',
      "client_secret: '§'",
      'private_key="§"',
      'assertion=§&x',
      '?token=§&y',
      '"token":"§"',
      "token: '§'",
      'REDIS_PASSWORD=§',
      'CREDENTIALS_KEY=§',
    ],
  },
  'key in PEM': {
    secret: fc.constantFrom(...KEYS).map((pem) => pem.split('\n')[1] ?? ''),
    around: [...KEYS.map((pem) => pem.replace(pem.split('\n')[1] ?? '', '§')), 'key §', 'key\\n§'],
  },
  'key of CREDENTIALS_KEY': {
    // Random as keys are: what fast-check makes of letters is mostly one letter.
    secret: fc.nat().map((seed) => createHash('sha256').update(String(seed)).digest('base64')),
    around: ['§', 'the key § is wrong'],
  },
  'phone number': {
    secret: fc.oneof(
      digits(7, 12).map((rest) => `+${rest}`),
      digits(7, 12).map((rest) => `00${rest}`),
      digits(6, 10).map((rest) => `0${rest}`),
      digits(8, 12),
    ),
    around: [
      '§',
      'sip:§@pbx.example.com',
      'tel:§',
      'from § to §',
      '?phonenumber=§&x',
      '["§"]',
      'call-§',
      '\\n§',
      'user_§',
      '{ number: §}',
    ],
  },
  'SIP account': {
    secret: fc.integer({ min: 100_000_000, max: 999_999_999 }).map(String),
    around: ['§', '/api/account/§/', 'account § is busy', 'key (account)=(§) exists'],
  },
};

/** Where in what is logged a text may stand. */
const POSITIONS: readonly ((text: string) => string)[] = [
  (at) => JSON.stringify(redact({ reason: at })),
  (at) => JSON.stringify(redact({ detail: `asked for ${at}, which failed` })),
  (at) => errorWords(new Error(at)),
  (at) =>
    errorWords(new Error('first', { cause: new Error('second', { cause: new TypeError(`in ${at}.`) }) })),
  (at) => errorWords(new AggregateError([new Error('a'), new Error(at)], '')),
  (at) => errorWords({ nested: { deep: [1, { value: at }] } }),
  (at) => errorWords(JSON.stringify({ nested: [{ value: at }] })),
  (at) => errorWords(Object.assign(new Error('x'), { code: at })),
  (at) => errorWords(Object.assign(new Error('x'), { name: at })),
  (at) =>
    errorStack(
      withStack(`Error: ${at}\n    at Object.take (/srv/${encodeURI(at)}/x.js:1:2)\n    at ${at} (x.js:3:4)`),
    ),
  (at) => errorWords(new Error(`${'word '.repeat(799)}${at}`)),
  (at) => scrub(inspect(new Map([['k', [at]]]))),
];

describe('secrets', () => {
  for (const [name, { secret, around }] of Object.entries(SHAPES)) {
    it(`a ${name} survives nowhere`, () => {
      fc.assert(
        fc.property(
          secret,
          fc.constantFrom(...around),
          fc.constantFrom(...POSITIONS),
          (value, frame, place) => {
            const shown = place(frame.replaceAll('§', value));
            assert.ok(!shown.includes(value), `${value} in ${shown}`);
            assert.ok(!shown.includes(encodeURI(value)), `${value} in ${shown}`);
            // Neither does the greater part of it.
            if (value.length >= 24)
              assert.ok(!shown.includes(value.slice(8, -8)), `part of ${value} in ${shown}`);
          },
        ),
        { numRuns: 400 },
      );
    });
  }

  it('phone numbers are found however they are written', () => {
    for (const number of [
      '+31 6 12345678',
      '+31 (0)20 123 45 67',
      '06-12345678',
      '06 12 34 56 78',
      '(020) 123 45 67',
      '020/1234567',
      '06.12.34.56.78',
      '555-123-4567',
      '1-800-555-1234',
      '%2B31612345678',
      '0031687654321',
      '0612.34.56.78',
      '0612.345.678',
      '06 - 12 34 56 78',
      '+31_612345678',
      '+31_6_12_34_56_78',
    ])
      for (const frame of ['§', 'called § back', '"§"', 'to=§;'])
        assert.doesNotMatch(scrub(frame.replace('§', number)), /\d{3}/, frame.replace('§', number));
  });
});

it('what is hidden is hidden once, and what surrounds it stays', () => {
  const hex = '740f4707bebcf74f9b7c25d48e3358945f6aa01da5ddb387462c7eaf61bb78ad';
  for (const [text, shown] of [
    [`/3/device/${hex}`, '/3/device/(token hidden)'],
    [`/3/device/${hex} is gone`, '/3/device/(token hidden) is gone'],
    ['?access_token=ya29.abcdefghijklmnop&x=1', '?access_token=(hidden)&x=1'],
    ['{"access_token":"ya29.abcdefghijklmnop"}', '{"access_token":(hidden)}'],
    ['sip:bob.jansen@pbx.example.org', 'sip:(user hidden)@pbx.example.org'],
    ['<sips:bob:hunter2@pbx>;tag=1', '<sips:(user hidden)@pbx>;tag=1'],
    ['Bearer secretword', 'Bearer (hidden)'],
    ['BEARER secret.', 'BEARER (hidden)'],
    ['X-Auth-Token: hunter2', 'X-Auth-Token: (hidden)'],
    ['x-api-key: hunter2', 'x-api-key: (hidden)'],
    ['Cookie: a=hunter2; b=hunter3', 'Cookie: (hidden)'],
    ["{ cookie: 'a=hunter2; b=c' }", "{ cookie: '(hidden)' }"],
    ['pw=hunter2', 'pw=(hidden)'],
    ['postgres://u:hunter two@db/x', 'postgres://(hidden)@db/x'],
    ['mysql://u:p"hunter@db/x', 'mysql://(hidden)@db/x'],
    ["rediss://:p'hunter@[::1]:6379", 'rediss://(hidden)@[::1]:6379'],
    ['HELLO 3 AUTH default hunter2', 'HELLO 3 AUTH default (hidden)'],
    ['AUTH letmein failed', 'AUTH (hidden) failed'],
    ['bearer letmein was refused', 'bearer (hidden) was refused'],
    ['the user bob, pass: letmein', 'the user bob, pass: (hidden)'],
    ['token hunter2 is unknown', 'token (hidden) is unknown'],
    ["SET PASSWORD FOR x = PASSWORD('hunter two')", 'SET PASSWORD FOR x = PASSWORD((hidden))'],
    ['redis+sentinel://u:hunter two@a:26379,b/m', 'redis+sentinel://(hidden)@a:26379,b/m'],
    ['MYSQL_PWD=hunter2', 'MYSQL_PWD=(hidden)'],
    ["create user x identified by 'hunter two'", 'create user x identified by (hidden)'],
  ] as const)
    assert.equal(scrub(text), shown);
});

function withStack(stack: string): Error {
  const error = new Error('x');
  error.stack = stack;
  return error;
}

/** What an operator needs to read: none of it may lose a character. */
const READABLE = [
  '    at async Object.take (/usr/lib/node_modules/vialer-middleware/dist/push/apns/provider.js:79:28)',
  '    at async Object.take (file:///opt/My-Apps_2/node_modules/@scope/vialer-middleware/dist/telemetry/describe-error.js:79:28)',
  '    at TLSSocket.onConnectSecure (node:_tls_wrap:1679:34)',
  '    at file:///home/deploy/releases/20261130085902/node_modules/.pnpm/@fastify+busboy@3.2.6/node_modules/@fastify/busboy/lib/main.js:12:3',
  'C080D8B5E17F0000:error:0A00010B:SSL routines:ssl3_get_record:wrong version number:../deps/openssl/openssl/ssl/record/ssl3_record.c:354:',
  'write EPROTO 80FB8B0D0C750000:error:0A000410:SSL routines:ssl3_read_bytes:ssl/tls alert handshake failure:../deps/openssl/openssl/ssl/record/rec_layer_s3.c:1605:SSL alert number 40',
  'error:10000438:SSL routines:OPENSSL_internal:TLSV1_ALERT_INTERNAL_ERROR',
  'must be a whole number from 100000000 to 999999999',
  'must be a whole number of milliseconds from 500 to 60000',
  'connect ECONNREFUSED 127.0.0.1:5432',
  'connect ETIMEDOUT [2a01:7e00:0:1::beef]:443',
  'getaddrinfo ENOTFOUND redis-master-0.redis-headless.production.svc.cluster.local',
  'cannot connect to https://api.push.apple.com: no HTTP/2 connection within 1500 ms',
  'GOAWAY code 0: {"reason":"BadCertificateEnvironment"}',
  'apns-id 550e8400-e29b-41d4-a716-446655440000',
  'trace 4bf92f3577b34da6a3ce929d0e0e4736',
  'commit 19f379b0c2e1d4a5b6c7d8e9f0a1b2c3d4e5f6a7',
  'projects/my-project/messages/0:1500415314455276%31bd1c9631bd1c96',
  'the file is larger than 67108864 bytes',
  'heap of 2147483648 B, RSS 17179869184 bytes',
  'tookMs 4000, retry in 0.123456789 s',
  'certificate of 2026-11-30T08:59:02.123Z is older than 2027-02-28 00:00:00.000+01:00',
  'PostgreSQL 16.4 (Debian 16.4-1.pgdg120+2), MariaDB 10.11.6, node v24.21.0, vialer-middleware@1.0.0-rc.12',
  "Access denied for user 'middleware'@'10.0.0.5' (using password: YES)",
  'password authentication failed for user "middleware"',
  'invalid password: it is too short',
  'Unexpected token } in JSON at position 12',
  `Unexpected token '<', "<!DOCTYPE "... is not valid JSON`,
  'push token could not be updated; the token expired at noon',
  'basic authentication is required; bearer token missing',
  "EACCES: permission denied, open '/etc/vialer-middleware/AuthKey_ABC123DEFG.p8'",
  'ER_CON_COUNT_ERROR: Too many connections (1040)',
  "NOPERM this user has no permissions to run the 'evalsha' command",
  'MOVED 3999 127.0.0.1:6381',
  'http://[::1]:8080/api/incoming-call/ and https://example.org:8443/@scope/pkg',
  'sha256:0123456789abcdef0123456789abcdef',
  'vialer_middleware_push_notification_success_total and com.example.voip.application.production.Service2',
  'exp 1764500000, iat=1764500000123, epoch 1764500000',
  'at 1764500000123, {"since":1764500000123}',
  'ERR AUTH failed; ERR Client sent AUTH, but no password is set',
  'max_allowed_packet 123456789, heap 123456789, inode 12345678',
  'request larger than 67108864',
  'POST /v1/projects/1234567890/messages:send',
  'Bearer token is missing; Bearer authentication is required',
  'AUTH <password> called without any password configured for the default user',
  'connect redis://cache:6379 failed; postgres://db:5432/x as user@host',
  'WWW-Authenticate: Bearer realm="platform", error="invalid_token"; Basic realm="Restricted"',
  'Proxy-Authenticate: Basic (RFC7617) or bearer realm="proxy1"',
  'no token http://127.0.0.1:8081/token and no password /run/secrets/pw2 can be read',
  'kernel 6.1.0-18-amd64, libssl.so.3.0.11, glibc 2.36-9+deb12u7',
];

describe('what is no secret', () => {
  for (const line of READABLE)
    it(`stays as it is: ${line.trim().slice(0, 60)}`, () => assert.equal(scrub(line, 4_000), line));
});
