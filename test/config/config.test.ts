import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { read } from './read.ts';

const PUBLIC = {
  HOST: '0.0.0.0',
  APP_API_URL: 'https://push.example.org',
  ACCOUNT_AUTH: 'voipgrid',
  VG_API_BASE_URL: 'https://api.example.org',
};

it('no settings at all serve this machine alone', () => {
  const { config, problems, warnings } = read({});
  assert.deepEqual([problems, warnings], [[], []]);
  assert.ok(config);
  assert.deepEqual([config.host, config.port], ['127.0.0.1', 8080]);
  assert.deepEqual([config.metricsHost, config.metricsPort], ['127.0.0.1', 9000]);
  assert.deepEqual([config.waitMs, config.resendMs], [4000, 1000]);
  assert.deepEqual(config.accountAuth, { kind: 'none' });
  assert.equal(config.databaseUrl, 'sqlite:data/middleware.db');
  assert.equal(config.trustProxy, undefined);
  assert.deepEqual(config.pbx.allow?.networks, ['127.0.0.0/8', '::1']);
  assert.equal(config.pbx.token, undefined);
  assert.equal(config.takeoverNotice, true);
});

it('a setting that is empty or blank counts as not set', () => {
  const blank = Object.fromEntries(read({}).found.map(({ name }) => [name, ' ']));
  const { config, problems } = read(blank);
  assert.deepEqual(problems, []);
  assert.deepEqual(JSON.stringify(config), JSON.stringify(read({}).config));
});

it('beyond this machine the platform and the address for apps must be set', () => {
  assert.deepEqual(read(PUBLIC).problems, []);
  const rows: readonly (readonly [Readonly<Record<string, string>>, readonly RegExp[]])[] = [
    [{ HOST: '0.0.0.0' }, [/^APP_API_URL must be set/, /^ACCOUNT_AUTH must be set because HOST=0\.0\.0\.0/]],
    [{ HOST: '::' }, [/^APP_API_URL/, /^ACCOUNT_AUTH/]],
    [{ HOST: 'push.example.org' }, [/^APP_API_URL/, /^ACCOUNT_AUTH/]],
    [{ ...PUBLIC, ACCOUNT_AUTH: 'none' }, [/^ACCOUNT_AUTH=none lets anyone register a phone/]],
    [{ ...PUBLIC, ACCOUNT_AUTH: '' }, [/^ACCOUNT_AUTH must be set/]],
    [{ ...PUBLIC, VG_API_BASE_URL: '' }, [/^ACCOUNT_AUTH=voipgrid needs VG_API_BASE_URL/]],
    [{ ...PUBLIC, APP_API_URL: '' }, [/^APP_API_URL must be set/]],
    [{ ...PUBLIC, APP_API_URL: '/api/' }, [/^APP_API_URL must be an absolute/, /^APP_API_URL must be set/]],
    [{ ...PUBLIC, APP_API_URL: 'https://x.example/push/' }, [/^APP_API_URL must have no path/]],
    [{ ACCOUNT_AUTH: 'voipgrid' }, [/^ACCOUNT_AUTH=voipgrid needs VG_API_BASE_URL/]],
    [{ ACCOUNT_AUTH: 'django' }, [/^ACCOUNT_AUTH must be one of: none, voipgrid$/]],
  ];
  for (const [settings, expected] of rows) {
    const { config, problems } = read(settings);
    assert.equal(config, undefined);
    assert.equal(problems.length, expected.length, problems.join('\n'));
    for (const [index, pattern] of expected.entries()) assert.match(problems[index] ?? '', pattern);
  }
});

it('loopback may be served without the platform, under each of its names', () => {
  for (const HOST of ['127.0.0.1', '127.1.2.3', '::1', 'localhost']) {
    for (const more of [{}, { ACCOUNT_AUTH: 'none' }]) assert.deepEqual(read({ HOST, ...more }).problems, []);
  }
});

it('response_api is made of APP_API_URL', () => {
  for (const APP_API_URL of ['https://push.example.org', 'https://push.example.org/']) {
    assert.equal(
      read({ ...PUBLIC, APP_API_URL }).config?.responseApi,
      'https://push.example.org/api/call-response/',
    );
  }
});

it('PBX_ALLOW falls back to loopback only where no token is set', () => {
  const token = '0123456789abcdef';
  const rows = [
    [{}, ['127.0.0.0/8', '::1'], undefined],
    [{ PBX_ALLOW: '10.0.0.0/8' }, ['10.0.0.0/8'], undefined],
    [{ PBX_TOKEN: token }, undefined, token],
    [{ PBX_ALLOW: '10.0.0.0/8', PBX_TOKEN: token }, ['10.0.0.0/8'], token],
  ] as const;
  for (const [settings, networks, expected] of rows) {
    const pbx = read(settings).config?.pbx;
    assert.deepEqual([pbx?.allow?.networks, pbx?.token], [networks, expected]);
  }
});

it('secrets come from files too, and a file that gives none is a problem', () => {
  const files = { '/run/token': ' 0123456789abcdef\n', '/run/empty': '\n', '/run/url': 'sqlite:other.db' };
  const report = read({ PBX_TOKEN_FILE: '/run/token', DATABASE_URL_FILE: '/run/url' }, files);
  assert.deepEqual([report.problems, report.warnings], [[], []]);
  assert.equal(report.config?.pbx.token, '0123456789abcdef');
  assert.equal(report.config?.databaseUrl, 'sqlite:other.db');
  const found = report.found.find(({ name }) => name === 'PBX_TOKEN');
  assert.deepEqual([found?.from, found?.secret], ['file', true]);
  const rows: readonly (readonly [Readonly<Record<string, string>>, string])[] = [
    [{ PBX_TOKEN_FILE: '/run/none' }, 'PBX_TOKEN_FILE names /run/none, which cannot be read (ENOENT)'],
    [
      { PBX_TOKEN_FILE: '/run/empty', PBX_ALLOW: '0.0.0.0/0' },
      'PBX_TOKEN_FILE names /run/empty, which is empty',
    ],
    [
      { PBX_TOKEN_FILE: '/run/token', PBX_TOKEN: 'x' },
      'PBX_TOKEN and PBX_TOKEN_FILE are both set; set one of them',
    ],
  ];
  for (const [settings, problem] of rows) {
    assert.deepEqual([read(settings, files).config, read(settings, files).problems], [undefined, [problem]]);
  }
});

it('a secret that is wrong is not told', () => {
  const { problems } = read({ PBX_TOKEN: 'hunter2', DATABASE_URL: 'hunter2://hunter2' });
  assert.ok(problems.length > 0);
  assert.ok(!problems.join('\n').includes('hunter2'));
});

it('every problem is told at once, each in a sentence that names its setting', () => {
  const wrong = {
    HOST: 'a b',
    PORT: '70000',
    PROMETHEUS_HOST: '!',
    PROMETHEUS_PORT: '-1',
    APP_API_URL: 'x',
    APP_PUSH_ROUNDTRIP_WAIT: '1',
    APP_PUSH_RESEND_INTERVAL: '1',
    MAX_WAITING_CALLS: '0',
    MAX_CONNECTIONS: '0',
    MAX_PUSHES_IN_FLIGHT: '0',
    SHUTDOWN_GRACE: '-1',
    ACCOUNT_AUTH: 'x',
    VG_API_BASE_URL: 'x',
    VG_API_USER_URL: 'x',
    VG_API_TIMEOUT: '0',
    PBX_ALLOW: 'x',
    PBX_TOKEN: 'x',
    TRUST_PROXY: 'x',
    APPS_REFRESH_INTERVAL: '0',
    APNS_URL: 'x',
    APNS_SANDBOX_URL: 'x',
    FCM_URL: 'x',
    TAKEOVER_NOTICE: 'x',
    LOG_LEVEL: 'x',
    LOG_FORMAT: 'x',
  };
  const { config, problems } = read(wrong);
  assert.equal(config, undefined);
  const named = problems.map((problem) => /^([A-Z_]+) must /.exec(problem)?.[1]);
  assert.deepEqual(named.sort(), Object.keys(wrong).sort());
});

it('names that look like ours but are none are warned of, and those of the reference explained', () => {
  const rows: readonly (readonly [string, RegExp | undefined])[] = [
    ['APNS_ULR', /^APNS_ULR is not a setting/],
    ['TRUST_PROXI', /^TRUST_PROXI is not a setting .*; did you mean TRUST_PROXY\?$/],
    ['TRUSTPROXY', /did you mean TRUST_PROXY\?$/],
    ['TURST_PROXY', /did you mean TRUST_PROXY\?$/],
    ['TRUST_PROXIES', /^TRUST_PROXIES is not a setting/],
    ['LOGLEVEL', /did you mean LOG_LEVEL\?$/],
    ['MAX_WAITING_CALL', /did you mean MAX_WAITING_CALLS\?$/],
    ['DATBASE_URL', /did you mean DATABASE_URL\?$/],
    ['PXB_TOKEN', /did you mean PBX_TOKEN\?$/],
    ['PBX_ALLOWED', /^PBX_ALLOWED is not a setting/],
    ['APP_PUSH_ROUNDTRIP_WAIT_MS', /is not a setting/],
    ['PBX_ALLOW_FILE', /^PBX_ALLOW_FILE is not a setting/],
    ['TRUST_PROXY_FILE', /^TRUST_PROXY_FILE is not a setting/],
    ['REDIS_SERVERS', /^REDIS_SERVERS is not a setting/],
    ['DEBUG', /^DEBUG has no effect: use LOG_LEVEL/],
    ['TESTING', /^TESTING has no effect: authentication cannot be switched off by it/],
    ['PATH', undefined],
    ['NODE_ENV', undefined],
    ['APPDATA', undefined],
    ['HOSTNAME', undefined],
    ['POST', undefined],
    ['LOGNAME', undefined],
    ['DOCKER_HOST', undefined],
    ['HTTP_PORT', undefined],
    ['HTTP_PROXY', undefined],
    ['FTP_PROXY', undefined],
    ['SSL_CERT_FILE', undefined],
  ];
  for (const [name, expected] of rows) {
    const { config, warnings } = read({ [name]: '1' });
    assert.ok(config, 'it still runs');
    assert.equal(warnings.length, expected === undefined ? 0 : 1, name);
    if (expected !== undefined) assert.match(warnings[0] ?? '', expected);
  }
});

it('settings that cannot work together are warned of', () => {
  assert.match(
    read({ APP_PUSH_RESEND_INTERVAL: '5000' }).warnings[0] ?? '',
    /^APP_PUSH_RESEND_INTERVAL is longer/,
  );
  assert.match(
    read({ MAX_WAITING_CALLS: '40000' }, {}, 1024).warnings[0] ?? '',
    /^MAX_WAITING_CALLS=40000 needs/,
  );
});

it('MAX_WAITING_CALLS follows from the limit of open files, between 100 and 50,000', () => {
  const property = fc.property(fc.oneof(fc.nat(), fc.constant(Number.MAX_SAFE_INTEGER)), (openFiles) => {
    const { config, problems, warnings } = read({}, {}, openFiles);
    assert.deepEqual([problems, warnings], [[], []]);
    assert.ok(config && config.maxWaitingCalls >= 100 && config.maxWaitingCalls <= 50_000);
    if (openFiles >= 400) assert.ok(config.maxWaitingCalls * 2 + 200 <= openFiles);
  });
  fc.assert(property);
});

it('whatever the environment holds, it is read without throwing, and the same way each time', () => {
  const names = read({}).found.flatMap(({ name }) => [name, `${name}_FILE`]);
  const environment = fc.dictionary(
    fc.constantFrom(...names),
    fc.oneof(fc.string({ unit: 'binary' }), fc.webUrl(), fc.ipV4()),
  );
  const property = fc.property(environment, (env) => {
    const [once, again] = [read(env), read(env)];
    assert.deepEqual([once.problems, once.warnings], [again.problems, again.warnings]);
    assert.equal(once.config === undefined, once.problems.length > 0);
    for (const problem of once.problems) assert.ok(!problem.includes('undefined'), problem);
  });
  fc.assert(property, { numRuns: 500 });
});
