import assert from 'node:assert/strict';
import { it } from 'node:test';
import { createThrowAwayCa } from '../../src/sandbox/certificates.ts';
import { read } from './read.ts';

const CA = createThrowAwayCa().certificate;
const REDIS = { host: 'redis', port: 6379 };

function redisOf(env: Readonly<Record<string, string>>, files: Readonly<Record<string, string>> = {}) {
  const { config, problems } = read(env, files);
  assert.deepEqual(problems, []);
  return config?.redis;
}

function problemsOf(env: Readonly<Record<string, string>>) {
  const { config, problems } = read(env);
  assert.equal(config, undefined);
  return problems;
}

it('without settings there is no Redis; with an address the rest has defaults', () => {
  assert.equal(redisOf({}), undefined);
  assert.deepEqual(redisOf({ REDIS_URL: 'redis://redis' }), {
    place: { kind: 'single', server: REDIS, database: 0 },
    username: undefined,
    password: undefined,
    tls: false,
    ca: undefined,
    sentinelLogin: undefined,
    timeoutMs: 300,
    required: false,
    prefix: 'vm:',
  });
});

it('Sentinels may have a login of their own', () => {
  const url = { REDIS_URL: 'redis+sentinel://:pw@one/main' };
  const login = (env: Readonly<Record<string, string>>) => redisOf({ ...url, ...env })?.sentinelLogin;
  assert.equal(login({}), undefined);
  assert.deepEqual(login({ REDIS_SENTINEL_PASSWORD: 'own' }), { username: undefined, password: 'own' });
  assert.deepEqual(login({ REDIS_SENTINEL_USERNAME: 'me', REDIS_SENTINEL_PASSWORD: 'own' }), {
    username: 'me',
    password: 'own',
  });
  const file = { REDIS_SENTINEL_PASSWORD_FILE: '/run/secret' };
  assert.equal(redisOf({ ...url, ...file }, { '/run/secret': 'own\n' })?.sentinelLogin?.password, 'own');
  assert.deepEqual(problemsOf({ ...url, REDIS_SENTINEL_USERNAME: 'me' }), [
    'REDIS_SENTINEL_USERNAME needs REDIS_SENTINEL_PASSWORD',
  ]);
  for (const place of [{ REDIS_URL: 'redis://redis' }, { REDIS_SERVER_LIST: 'redis' }, {}]) {
    assert.deepEqual(problemsOf({ ...place, REDIS_SENTINEL_PASSWORD: 'own' }), [
      'REDIS_SENTINEL_PASSWORD needs Sentinels: write redis+sentinel:// in REDIS_URL',
    ]);
  }
});

it('an address names account, server, database, TLS, or Sentinels with their master', () => {
  const rows = [
    [
      'redis://me:p%40w@redis:1/3',
      ['me', 'p@w', false, { kind: 'single', server: { host: 'redis', port: 1 }, database: 3 }],
    ],
    [
      'rediss://:pw@[::1]/',
      [undefined, 'pw', true, { kind: 'single', server: { host: '::1', port: 6379 }, database: 0 }],
    ],
    [
      'valkeys://me:pw@redis/?db=2&protocol=3',
      ['me', 'pw', true, { kind: 'single', server: REDIS, database: 2 }],
    ],
    [
      'rediss://:pw@redis?ssl_cert_reqs=required&family=0',
      [undefined, 'pw', true, { kind: 'single', server: REDIS, database: 0 }],
    ],
    ['redis://redis:6379/1/', [undefined, undefined, false, { kind: 'single', server: REDIS, database: 1 }]],
    ['valkey://redis/1?db=1', [undefined, undefined, false, { kind: 'single', server: REDIS, database: 1 }]],
    [
      'unix://me:p%40w@/run/redis.sock?db=3',
      ['me', 'p@w', false, { kind: 'single', server: { path: '/run/redis.sock' }, database: 3 }],
    ],
    [
      'redis+unix:///run/redis.sock',
      [undefined, undefined, false, { kind: 'single', server: { path: '/run/redis.sock' }, database: 0 }],
    ],
    [
      'valkey+sentinel://one/main?db=4',
      [
        undefined,
        undefined,
        false,
        { kind: 'sentinel', sentinels: [{ host: 'one', port: 26_379 }], master: 'main', database: 4 },
      ],
    ],
    [
      'redis+sentinel://me:pw@one:1,10.0.0.2/main/2',
      [
        'me',
        'pw',
        false,
        {
          kind: 'sentinel',
          sentinels: [
            { host: 'one', port: 1 },
            { host: '10.0.0.2', port: 26_379 },
          ],
          master: 'main',
          database: 2,
        },
      ],
    ],
    [
      'rediss+sentinel://one/main',
      [
        undefined,
        undefined,
        true,
        { kind: 'sentinel', sentinels: [{ host: 'one', port: 26_379 }], master: 'main', database: 0 },
      ],
    ],
  ] as const;
  for (const [url, expected] of rows) {
    const redis = redisOf({ REDIS_URL: url });
    assert.deepEqual([redis?.username, redis?.password, redis?.tls, redis?.place], expected, url);
  }
});

it('what is no address is refused in words that do not quote it', () => {
  const rows = [
    'hunter2',
    'http://:hunter2@redis',
    'redis://:hunter2@redis/zero',
    'redis://:hunter2@redis/0?db=1',
    'redis://:hunter2@redis?db=hunter2',
    'redis://:hunter2@redis?ssl_cert_reqs=hunter2',
    'redis://:hunter2@redis?hun ter2',
    'redis+sentinel://:hunter2@one/main/1?db=2',
    'unix://:hunter2%@/run/redis.sock',
    'unix://:hunter2@run/redis.sock',
    'unix://me:p@/hunter2@/run/redis.sock',
    'redis://hunter2@redis',
    'redis://:hunter2%@redis',
    'redis://:hunter2@one,two',
    'redis://:hunter2@redis:99999',
    'redis+sentinel://:hunter2@one',
    'redis+sentinel://:hunter2@one/main/x',
    'redis://:hunter2@',
  ];
  for (const url of rows) {
    const [problem, ...others] = problemsOf({ REDIS_URL: url });
    assert.match(problem ?? '', /^REDIS_URL (must|has|holds|names|needs)/, url);
    assert.deepEqual(others, []);
    assert.doesNotMatch(problem ?? '', /hunter2/);
  }
});

it("the reference's list of servers is a Cluster, with account and TLS of their own settings", () => {
  const env = {
    REDIS_SERVER_LIST: 'one:7000, two:7001',
    REDIS_USERNAME: 'me',
    REDIS_TLS: 'on',
    REDIS_CA_FILE: '/ca',
  };
  const redis = redisOf({ ...env, REDIS_PASSWORD_FILE: '/password' }, { '/ca': CA, '/password': 'pw\n' });
  assert.deepEqual(redis?.place, {
    kind: 'cluster',
    servers: [
      { host: 'one', port: 7000 },
      { host: 'two', port: 7001 },
    ],
  });
  assert.deepEqual([redis?.username, redis?.password, redis?.tls, redis?.ca], ['me', 'pw', true, CA]);
  assert.match(problemsOf({ REDIS_SERVER_LIST: 'one:x' })[0] ?? '', /^REDIS_SERVER_LIST must be host:port/);
});

it('a password of its own goes with an address that names none', () => {
  const redis = redisOf({ REDIS_URL: 'redis://redis', REDIS_USERNAME: 'me', REDIS_PASSWORD: 'pw' });
  assert.deepEqual([redis?.username, redis?.password], ['me', 'pw']);
});

it('settings that contradict each other are problems', () => {
  const url = 'redis://me:hunter2@redis';
  const rows: readonly (readonly [Readonly<Record<string, string>>, RegExp])[] = [
    [{ REDIS_URL: url, REDIS_SERVER_LIST: 'one' }, /REDIS_SERVER_LIST and REDIS_URL are both set/],
    [{ REDIS_URL: url, REDIS_TLS: 'on' }, /REDIS_TLS is for REDIS_SERVER_LIST/],
    [{ REDIS_URL: url, REDIS_PASSWORD: 'x' }, /REDIS_PASSWORD is set and REDIS_URL holds a password/],
    [{ REDIS_URL: url, REDIS_USERNAME: 'x' }, /REDIS_USERNAME is set and REDIS_URL names an account/],
    [{ REDIS_SERVER_LIST: 'one', REDIS_USERNAME: 'x' }, /REDIS_USERNAME needs REDIS_PASSWORD/],
    [{ REDIS_REQUIRED: 'true' }, /REDIS_REQUIRED needs REDIS_URL or REDIS_SERVER_LIST/],
    [
      { REDIS_URL: 'rediss://redis', REDIS_CA_FILE: '/nowhere' },
      /REDIS_CA_FILE names \/nowhere, which cannot be read \(ENOENT\)/,
    ],
    [{ REDIS_PREFIX: '{vm}' }, /REDIS_PREFIX must be/],
    [{ REDIS_TIMEOUT: '10' }, /REDIS_TIMEOUT must be a whole number of milliseconds/],
  ];
  for (const [env, expected] of rows) {
    const problems = problemsOf(env);
    assert.equal(problems.length, 1, problems.join('; '));
    assert.match(problems[0] ?? '', expected);
  }
  const { problems } = read(
    { REDIS_URL: url.replace('redis:', 'redis:'), REDIS_CA_FILE: '/ca' },
    { '/ca': CA },
  );
  assert.match(problems.join(), /REDIS_CA_FILE needs an encrypted connection/);
  assert.match(
    read({ REDIS_URL: 'rediss://redis', REDIS_CA_FILE: '/ca' }, { '/ca': 'x' }).problems.join(),
    /REDIS_CA_FILE names a file that holds no certificate/,
  );
});

it('off is off, on and true are on', () => {
  const required = (value: string) =>
    redisOf({ REDIS_URL: 'redis://redis', REDIS_REQUIRED: value })?.required;
  assert.deepEqual(['on', 'true', 'off', 'false'].map(required), [true, true, false, false]);
});

it('an unencrypted connection that leaves this machine is warned of', () => {
  const warned = (env: Readonly<Record<string, string>>) =>
    read(env).warnings.filter((warning) => /^the connection to Redis is not encrypted/.test(warning)).length;
  assert.equal(warned({ REDIS_URL: 'redis://redis' }), 1);
  assert.equal(warned({ REDIS_URL: 'redis+sentinel://localhost,redis/main' }), 1);
  assert.equal(warned({ REDIS_SERVER_LIST: 'redis' }), 1);
  assert.equal(warned({ REDIS_URL: 'redis://127.0.0.1' }), 0);
  assert.equal(warned({ REDIS_URL: 'rediss://redis' }), 0);
});
