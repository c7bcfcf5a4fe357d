import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { Config } from '../../src/config/config.ts';
import { readNoProxy } from '../../src/lib/no-proxy.ts';
import { readProxyAddress } from '../../src/lib/proxy-address.ts';
import { read } from './read.ts';

type Env = Readonly<Record<string, string>>;

function usable(env: Env, files: Env = {}): Config {
  const { config, problems } = read(env, files);
  assert.deepEqual(problems, []);
  assert.ok(config);
  return config;
}

/** `origin (setting)` of the way to an address. */
function way(env: Env, url: string, to: 'push' | 'accounts' = 'push', files: Env = {}): string {
  const { proxy, setting } = usable(env, files).proxies[to](new URL(url));
  return `${proxy?.origin ?? 'directly'} (${setting ?? 'none'})`;
}

const APPLE = 'https://api.push.apple.com';
function platformApi(url: string): Env {
  return { ACCOUNT_AUTH: 'voipgrid', VG_API_BASE_URL: url };
}

describe('which variable names the proxy', () => {
  it('of push services: PUSH_PROXY, https_proxy, HTTPS_PROXY, all_proxy, ALL_PROXY, in this order', () => {
    const names = ['PUSH_PROXY', 'https_proxy', 'HTTPS_PROXY', 'all_proxy', 'ALL_PROXY'];
    const env = Object.fromEntries(names.map((name, i) => [name, `http://p${i}:3128`]));
    for (const [i, name] of names.entries()) {
      const rest = Object.fromEntries(Object.entries(env).slice(i));
      assert.equal(way({ http_proxy: 'http://no:1', ...rest }, APPLE), `http://p${i}:3128 (${name})`);
    }
    assert.equal(way({ http_proxy: 'http://no:1', HTTP_PROXY: 'http://no:1' }, APPLE), 'directly (none)');
  });

  it('of the platform API: that of its scheme, never PUSH_PROXY nor HTTP_PROXY', () => {
    const env = {
      PUSH_PROXY: 'http://push:1',
      HTTP_PROXY: 'http://no:1',
      http_proxy: 'http://plain:1',
      HTTPS_PROXY: 'http://secure:1',
      ALL_PROXY: 'http://all:1',
    };
    const [plain, secure] = ['http://accounts.example.com/', 'https://accounts.example.com/'];
    assert.equal(way({ ...env, ...platformApi(plain) }, plain, 'accounts'), 'http://plain:1 (http_proxy)');
    assert.equal(
      way({ ...env, ...platformApi(secure) }, secure, 'accounts'),
      'http://secure:1 (HTTPS_PROXY)',
    );
    const { http_proxy: _1, HTTPS_PROXY: _2, ...less } = env;
    for (const url of [plain, secure]) {
      assert.equal(way({ ...less, ...platformApi(url) }, url, 'accounts'), 'http://all:1 (ALL_PROXY)');
    }
    assert.equal(
      way({ PUSH_PROXY: 'off', HTTPS_PROXY: 'http://secure:1', ...platformApi(secure) }, secure, 'accounts'),
      'http://secure:1 (HTTPS_PROXY)',
    );
  });

  it('HTTP_PROXY is warned of where it would apply', () => {
    const env = { HTTP_PROXY: 'http://p:1', ...platformApi('http://10.0.0.1/') };
    const about = (more: Env) =>
      read({ ...env, ...more }).warnings.filter((each) => each.includes('HTTP_PROXY'));
    assert.match(about({}).join(), /HTTP_PROXY in capitals has no effect.*set http_proxy/);
    assert.deepEqual(about({ http_proxy: 'http://p:1' }), []);
    assert.deepEqual(about({ ALL_PROXY: 'http://p:1' }), []);
    assert.deepEqual(about({ VG_API_BASE_URL: 'https://a.example.com' }), []);
  });

  it('PUSH_PROXY=off means directly; it may also come from a file', () => {
    assert.equal(way({ PUSH_PROXY: 'off', HTTPS_PROXY: 'http://p:1' }, APPLE), 'directly (PUSH_PROXY)');
    assert.equal(
      way({ PUSH_PROXY_FILE: '/secret' }, APPLE, 'push', { '/secret': 'http://u:p@p:1\n' }),
      'http://p:1 (PUSH_PROXY)',
    );
    assert.match(read({ PUSH_PROXXY: 'off' }).warnings.join(), /PUSH_PROXXY is not a setting/);
  });
});

describe('what a proxy is written as', () => {
  const proxyOf = (text: string) => usable({ HTTPS_PROXY: text }).proxies.push(new URL(APPLE)).proxy;

  it('with or without scheme, port, credentials', () => {
    const rows = [
      ['proxy.example.com:3128', 'http://proxy.example.com:3128'],
      ['user:pw@proxy:3128', 'http://proxy:3128'],
      ['http://proxy', 'http://proxy:80'],
      ['HTTPS://Proxy/', 'https://proxy:443'],
      ['http://[2001:db8::1]:3128/', 'http://[2001:db8::1]:3128'],
      ['10.1.2.3:8080', 'http://10.1.2.3:8080'],
    ] as const;
    for (const [text, origin] of rows) assert.equal(proxyOf(text)?.origin, origin, text);
    assert.equal(proxyOf('http://[2001:db8::1]:3128')?.host, '2001:db8::1');
  });

  it('credentials are percent-decoded, whatever characters are in them', () => {
    const property = fc.property(
      fc
        .string({ unit: 'grapheme', minLength: 1 })
        .filter((user) => !user.includes(':') && user.isWellFormed()),
      fc.string({ unit: 'grapheme' }).filter((password) => password.isWellFormed()),
      (user, password) => {
        const reading = readProxyAddress(
          `http://${encodeURIComponent(user)}:${encodeURIComponent(password)}@p:1`,
        );
        assert.ok(reading.ok);
        const [, basic = ''] = /^Basic (\S+)$/.exec(reading.address.authorization ?? '') ?? [];
        assert.equal(Buffer.from(basic, 'base64').toString('utf8'), `${user}:${password}`);
        assert.equal(reading.address.origin, 'http://p:1');
      },
    );
    fc.assert(property);
    assert.equal(proxyOf('http://me@p:1')?.authorization, `Basic ${btoa('me:')}`);
    assert.equal(proxyOf('http://p:1')?.authorization, undefined);
  });

  it('anything else is a problem that names the setting and quotes no secret', () => {
    const rows = [
      ['socks5://u:hunter2@p:1080', /^HTTPS_PROXY must be http:.*SOCKS proxies are not supported/],
      ['ftp://u:hunter2@p:21', /^HTTPS_PROXY must be http:/],
      ['http://u:hunter2@p:99999', /^HTTPS_PROXY must have a port from 1 to 65535/],
      ['http://u:hunter2@p:0', /^HTTPS_PROXY must have a port from 1 to 65535/],
      ['http://u:hunter2@p:1/path', /^HTTPS_PROXY must be .* nothing after the port/],
      ['http://u:hunter2#x@p:1', /^HTTPS_PROXY must be .*percent-encode/],
      ['http://u:hunter2%@p:1', /^HTTPS_PROXY has a user or password that is not percent-encoded/],
      ['http://u%3A:hunter2@p:1', /^HTTPS_PROXY must not have a colon in its user/],
      ['http://', /^HTTPS_PROXY must be/],
    ] as const;
    for (const [text, problem] of rows) {
      const { problems } = read({ HTTPS_PROXY: text });
      assert.ok(problems.length <= 1);
      assert.match(problems.join(), problem, text);
      assert.ok(!problems.join().includes('hunter2'), problems.join());
    }
    assert.match(read({ PUSH_PROXY: 'none://x' }).problems.join(), /^PUSH_PROXY must be http:.*; or off$/);
  });

  it('off in any letter case; any other word alone is a problem that says what to write', () => {
    for (const off of ['off', 'OFF', 'Off', ' oFF '])
      assert.equal(way({ PUSH_PROXY: off, HTTPS_PROXY: 'http://p:1' }, APPLE), 'directly (PUSH_PROXY)', off);
    for (const word of [
      'none',
      'None',
      'false',
      'FALSE',
      'no',
      '0',
      'on',
      'direct',
      'my-proxy',
      'localhost',
    ]) {
      assert.match(
        read({ PUSH_PROXY: word }).problems.join(),
        /^PUSH_PROXY must be http:.*not a single word: write the port behind a host, as in proxy:3128; or off$/,
        word,
      );
      assert.match(
        read({ https_proxy: word }).problems.join(),
        /^https_proxy must be http:.*not a single word.*; PUSH_PROXY \(an address or off\) overrides it/,
        word,
      );
    }
    for (const host of ['localhost:3128', 'my-proxy:80', 'http://my-proxy', 'u:p@my-proxy', 'proxy.example'])
      assert.deepEqual(read({ PUSH_PROXY: host }).problems, [], host);
  });

  it('a variable by which nothing goes is written for other programs, and is not looked at', () => {
    const socks = 'socks5://p:1080';
    assert.match(read({ ALL_PROXY: socks }).problems.join(), /^ALL_PROXY .*PUSH_PROXY \(an address or off\)/);
    assert.equal(way({ ALL_PROXY: socks, HTTPS_PROXY: 'http://p:1' }, APPLE), 'http://p:1 (HTTPS_PROXY)');
    assert.equal(
      way({ ALL_PROXY: socks, HTTPS_PROXY: socks, PUSH_PROXY: 'off' }, APPLE),
      'directly (PUSH_PROXY)',
    );
    const both = read({ ALL_PROXY: socks, ...platformApi('https://a.example.com') });
    assert.equal(both.problems.length, 1);
  });
});

describe('NO_PROXY', () => {
  const excepted = (no: string, url: string): boolean =>
    way({ HTTPS_PROXY: 'http://p:1', NO_PROXY: no }, url) === 'directly (NO_PROXY)';

  it('excepts domains, addresses, networks and ports as curl and undici do', () => {
    const rows: readonly (readonly [string, string, boolean])[] = [
      ['*', APPLE, true],
      ['other.example, *', APPLE, true],
      ['*:443', APPLE, true],
      ['*:8443', APPLE, false],
      ['apple.com', APPLE, true],
      ['.apple.com', APPLE, true],
      ['*.apple.com', APPLE, true],
      ['*.apple.com', 'https://apple.com', false],
      ['.apple.com', 'https://apple.com', true],
      ['pple.com', APPLE, false],
      ['apple.com', 'https://apple.com.example.org', false],
      ['API.Push.Apple.COM', APPLE, true],
      ['api.push.apple.com.', APPLE, true],
      ['apple.com', 'https://api.push.apple.com.', true],
      ['apple.com:443', APPLE, true],
      ['apple.com:80', APPLE, false],
      ['apple.com:2197', `${APPLE}:2197`, true],
      ['a.example b.example\tapple.com', APPLE, true],
      ['10.0.0.0/8', 'https://10.200.3.4:8443', true],
      ['10.0.0.0/8', 'https://11.0.0.1', false],
      ['10.0.0.0/8', APPLE, false],
      ['127.0.0.1', 'https://127.0.0.1:4443', true],
      ['127.0.0.1:4443', 'https://127.0.0.1:4443', true],
      ['127.0.0.1:4444', 'https://127.0.0.1:4443', false],
      ['127.0.0.1', 'https://127.0.0.11', false],
      ['0.0.1', 'https://127.0.0.1', false],
      ['2001:db8::1', 'https://[2001:db8:0::1]', true],
      ['[2001:db8::1]', 'https://[2001:db8::1]', true],
      ['[2001:db8::1]:443', 'https://[2001:db8::1]', true],
      ['[2001:db8::1]:80', 'https://[2001:db8::1]', false],
      ['2001:db8::/32', 'https://[2001:db8:1::2]', true],
      ['::1', 'https://localhost', false],
      ['10.0.0.0/33', 'https://10.0.0.1', false],
      ['10.0.0.0/', 'https://10.0.0.0', false],
      ['.', APPLE, false],
      [',,', APPLE, false],
    ];
    for (const [no, url, expected] of rows) assert.equal(excepted(no, url), expected, `${no} ${url}`);
  });

  it('in lower case wins, and holds for PUSH_PROXY and the platform API too', () => {
    const env = { PUSH_PROXY: 'http://p:1', HTTPS_PROXY: 'http://q:1', NO_PROXY: '*', no_proxy: 'x.example' };
    assert.equal(way(env, APPLE), 'http://p:1 (PUSH_PROXY)');
    assert.equal(way({ ...env, no_proxy: 'apple.com' }, APPLE), 'directly (no_proxy)');
    const url = 'https://accounts.example.com/';
    const asked = { ...env, ...platformApi(url) };
    assert.equal(way({ ...asked, no_proxy: 'example.com' }, url, 'accounts'), 'directly (no_proxy)');
    assert.equal(way({ NO_PROXY: '*' }, APPLE), 'directly (none)');
  });

  it('of any text is read without throwing', () => {
    const property = fc.property(
      fc.string({ unit: 'binary' }),
      fc.constantFrom(APPLE, 'https://[::1]:1'),
      (no, url) => {
        assert.equal(typeof readNoProxy(no)(new URL(url)), 'boolean');
      },
    );
    fc.assert(property);
  });
});
