import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import {
  absolutePath,
  baseUrl,
  bearerToken,
  httpsOrigin,
  integer,
  isLoopback,
  listenHost,
  networkList,
  networkOf,
  oneOf,
} from '../../src/config/parsers.ts';
import type { Parse } from '../../src/config/settings-reader.ts';

function parsed<T>(parse: Parse<T>, text: string): T | undefined {
  const result = parse(text);
  if ('value' in result) return result.value;
  assert.match(result.expected, /^must .*[^.]$/, 'what was expected continues a sentence');
  return undefined;
}

function assertRows<T>(parse: Parse<T>, rows: readonly (readonly [string, T | undefined])[]): void {
  for (const [text, value] of rows) assert.equal(parsed(parse, text), value, text);
}

/** No parser may throw, whatever a person or a program put into the environment. */
const anyText = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string(),
  fc.webUrl(),
  fc.ipV4(),
  fc.ipV6(),
  fc.domain(),
  fc.double().map(String),
  fc.tuple(fc.ipV6(), fc.integer()).map(([address, bits]) => `${address}/${bits}`),
);

it('no text makes a parser throw', () => {
  const parsers: readonly Parse<unknown>[] = [
    absolutePath,
    baseUrl,
    bearerToken,
    httpsOrigin,
    integer(1, 10, 'things'),
    listenHost,
    networkList,
    oneOf('on', 'off'),
  ];
  const property = fc.property(anyText, (text) => {
    for (const parse of parsers) parsed(parse, text);
    isLoopback(text);
  });
  fc.assert(property, { numRuns: 2_000 });
});

it('a whole number is written in digits and within its bounds', () => {
  assertRows(integer(100, 60_000, 'milliseconds'), [
    ['100', 100],
    ['60000', 60_000],
    ['0100', 100],
    ['99', undefined],
    ['60001', undefined],
    ['1e3', undefined],
    ['100.0', undefined],
    ['+100', undefined],
    ['-100', undefined],
    ['0x100', undefined],
    ['100ms', undefined],
    ['1_000', undefined],
    ['１００', undefined],
    ['NaN', undefined],
    ['9'.repeat(400), undefined],
  ]);
  const bounds = fc.property(fc.nat(), fc.nat(), fc.nat(), (a, b, value) => {
    const [min, max] = [Math.min(a, b), Math.max(a, b)];
    const expected = value >= min && value <= max ? value : undefined;
    assert.equal(parsed(integer(min, max), String(value)), expected);
  });
  fc.assert(bounds);
});

it('only addresses of this machine are loopback', () => {
  for (const host of ['127.0.0.1', '127.9.9.9', '::1', 'localhost']) assert.ok(isLoopback(host), host);
  const others = [
    '0.0.0.0',
    '::',
    '10.0.0.1',
    '128.0.0.1',
    '127.evil.example',
    '127.0.0.1.evil.example',
    'localhost.x',
    '',
  ];
  for (const host of others) assert.ok(!isLoopback(host), host);
  const property = fc.property(fc.ipV4(), (address) => {
    assert.equal(isLoopback(address), address.startsWith('127.'));
  });
  fc.assert(property);
});

it('a host to listen on is an address or a name', () => {
  for (const host of ['0.0.0.0', '::', '::1', 'localhost', 'push-1.example.org', 'a']) {
    assert.equal(parsed(listenHost, host), host);
  }
  for (const host of ['a b', 'http://x', 'x:80', '[::1]', '-x', 'x/', '', 'x'.repeat(300)]) {
    assert.equal(parsed(listenHost, host), undefined, host);
  }
});

it('a base address is http or https, and ends in a slash', () => {
  assertRows(baseUrl, [
    ['https://api.example.org', 'https://api.example.org/'],
    ['https://api.example.org/v2', 'https://api.example.org/v2/'],
    ['http://127.0.0.1:8080/', 'http://127.0.0.1:8080/'],
    ['HTTPS://API.Example.org', 'https://api.example.org/'],
    ['api.example.org', undefined],
    ['/api', undefined],
    ['ftp://example.org', undefined],
    ['file:///etc/passwd', undefined],
    ['https://user@example.org', undefined],
    ['https://:secret@example.org', undefined],
    ['https://example.org?x=1', undefined],
    ['https://example.org#x', undefined],
    ['https://', undefined],
  ]);
  const property = fc.property(fc.webUrl(), (url) => {
    const value = parsed(baseUrl, url);
    assert.ok(value?.endsWith('/') && new URL(value).origin === new URL(url).origin);
    assert.equal(parsed(baseUrl, value ?? ''), value, 'what it makes is right as well');
  });
  fc.assert(property);
});

it('a push service is an https origin: pushes never go out unencrypted', () => {
  assertRows(httpsOrigin, [
    ['https://api.push.apple.com', 'https://api.push.apple.com'],
    ['https://api.push.apple.com:2197/', 'https://api.push.apple.com:2197'],
    ['https://api.push.apple.com:443', 'https://api.push.apple.com'],
    ['http://api.push.apple.com', undefined],
    ['https://api.push.apple.com/3/device', undefined],
    ['https://api.push.apple.com?x', undefined],
    ['https://user:pw@api.push.apple.com', undefined],
    ['https://:pw@api.push.apple.com', undefined],
    ['api.push.apple.com', undefined],
  ]);
});

it('a path starts with one slash', () => {
  assertRows(absolutePath, [
    ['/', '/'],
    ['/api/me/', '/api/me/'],
    ['//evil.example/', undefined],
    ['api/me/', undefined],
    ['https://x/', undefined],
    ['/a b', undefined],
    ['/ä', undefined],
    ['', undefined],
  ]);
});

it('a bearer token is long and can be sent in a header', () => {
  assertRows(bearerToken, [
    ['0123456789abcdef', '0123456789abcdef'],
    ['0123456789abcde', undefined],
    ['x'.repeat(513), undefined],
    ['0123456789 abcdef', undefined],
    ['0123456789abcdef\n', undefined],
    ['0123456789abcdéf', undefined],
  ]);
});

it('an address is judged the same each time, whoever else was asked about meanwhile', () => {
  const list = parsed(networkList, '10.0.0.0/8');
  const addresses = Array.from(
    { length: 2_500 },
    (_, at) => `${at % 2 === 0 ? 10 : 11}.0.${at >> 8}.${at & 255}`,
  );
  for (let time = 0; time < 2; time += 1) {
    for (const [at, address] of addresses.entries()) assert.equal(list?.contains(address), at % 2 === 0);
  }
  assert.equal(list?.contains('10.0.0.1 '), false);
});

it('networks: addresses and CIDR, of both families, by comma or space', () => {
  const contains = (list: string, address: string) => parsed(networkList, list)?.contains(address);
  const rows: readonly (readonly [string, string, boolean])[] = [
    ['10.0.0.0/8', '10.255.0.1', true],
    ['10.0.0.0/8', '11.0.0.1', false],
    ['192.0.2.1', '192.0.2.1', true],
    ['192.0.2.1', '192.0.2.2', false],
    ['192.0.2.0/24', '::ffff:192.0.2.9', true],
    ['192.0.2.0/24', '::ffff:c000:209', true],
    ['192.0.2.0/24', '::192.0.2.9', false],
    ['0.0.0.0/0', '203.0.113.1', true],
    ['0.0.0.0/0', '2001:db8::1', false],
    ['2001:db8::/32', '2001:db8:1::1', true],
    ['2001:db8::/32', '2001:db9::1', false],
    ['2001:DB8::/32', '2001:0db8:0000::1', true],
    ['::ffff:192.0.2.0/120', '192.0.2.9', true],
    ['10.0.0.1, 10.0.0.2\t10.0.0.3,,10.0.0.4', '10.0.0.4', true],
    ['10.0.0.0/8', '', false],
    ['10.0.0.0/8', 'localhost', false],
    ['10.0.0.0/8', '10.0.0.1:80', false],
    ['10.0.0.0/8', '010.0.0.1', false],
  ];
  for (const [list, address, expected] of rows)
    assert.equal(contains(list, address), expected, `${list} ${address}`);
  const wrong = [
    '10.0.0.0/33',
    '10.0.0.0/08',
    '10.0.0.0/00',
    '::/129',
    '10.0.0/8',
    '10.0.0.0/',
    '10.0.0.0/8/8',
    '/8',
    'localhost',
    '10.0.0.1:80',
    '10.0.0.0/-1',
    ',',
    '10.0.0.1;10.0.0.2',
  ];
  for (const text of wrong) assert.equal(parsed(networkList, text), undefined, text);
});

it('a network with host bits set is refused, and the message names both things that may be meant', () => {
  const rows = [
    ['10.0.0.5/8', '10.0.0.0/8', '10.0.0.5/32'],
    ['192.0.2.1/24', '192.0.2.0/24', '192.0.2.1/32'],
    ['192.0.2.129/25', '192.0.2.128/25', '192.0.2.129/32'],
    ['203.0.113.9/0', '0.0.0.0/0', '203.0.113.9/32'],
    ['2001:db8::1/32', '2001:db8::/32', '2001:db8::1/128'],
    ['2001:db8:1:2:3:4:5:6/63', '2001:db8:1:2::/63', '2001:db8:1:2:3:4:5:6/128'],
    ['::1/0', '::/0', '::1/128'],
    ['::ffff:10.0.0.5/104', '::ffff:a00:0/104', '::ffff:10.0.0.5/128'],
  ] as const;
  for (const [network, whole, one] of rows) {
    for (const list of [network, `127.0.0.1, ${network}`]) {
      const result = networkList(list);
      assert.ok('expected' in result, list);
      assert.equal(
        result.expected,
        `must not contain ${network}, which has host bits set: write ${whole} for the network, or ${one} for the one address`,
      );
    }
    assert.ok('value' in networkList(whole) && 'value' in networkList(one), 'what is suggested is taken');
  }
});

it('an address is in its own network and in every wider one', () => {
  const property = fc.property(fc.ipV4(), fc.integer({ min: 0, max: 32 }), (address, bits) => {
    const list = parsed(networkList, `${networkOf(address, bits) ?? address}/${bits}`);
    assert.ok(list?.contains(address) && list.contains(`::ffff:${address}`));
  });
  fc.assert(property);
  const six = fc.property(fc.ipV6(), fc.integer({ min: 0, max: 128 }), (address, bits) => {
    assert.ok(parsed(networkList, `${networkOf(address, bits) ?? address}/${bits}`)?.contains(address));
  });
  fc.assert(six);
});
