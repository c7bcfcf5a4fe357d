import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { charDecoder } from '../../src/http/wire/fields/decode-char.ts';
import { decodeOptionalToken, decodePushProfile } from '../../src/http/wire/fields/decode-lenient.ts';
import { decodeRegisteredToken, decodeToken } from '../../src/http/wire/fields/decode-token.ts';
import { oddTokenShape } from '../../src/http/wire/fields/ios-token-shape.ts';
import { trimPython } from '../../src/http/wire/fields/python-text.ts';
import { outcome, REFUSED } from './outcome.ts';

/** Every character for which Python 3's `str.isspace()` is true. */
const PYTHON_SPACES = [
  9, 10, 11, 12, 13, 28, 29, 30, 31, 32, 0x85, 0xa0, 0x1680, 0x2000, 0x2001, 0x2002, 0x2003, 0x2004, 0x2005,
  0x2006, 0x2007, 0x2008, 0x2009, 0x200a, 0x2028, 0x2029, 0x202f, 0x205f, 0x3000,
];

it('trimming takes exactly the white space of Python', () => {
  const spaces = new Set(PYTHON_SPACES);
  for (let code = 0; code <= 0xffff; code += 1) {
    const character = String.fromCharCode(code);
    const expected = spaces.has(code) ? 'a b' : `${character}a b${character}`;
    assert.equal(trimPython(`${character}a b${character}`), expected, code.toString(16));
  }
  assert.equal(trimPython(''), '');
  assert.equal(trimPython(' \t\u3000'), '');
});

it('trimming a text of nothing but spaces inside is quick', () => {
  const text = `a${' '.repeat(65_000)}é`;
  const before = process.cpuUsage();
  assert.equal(trimPython(text), text);
  // Looking from each space to the end of all would be two billion looks.
  assert.ok(process.cpuUsage(before).user < 1_000_000);
});

it('text: trimmed, then bounded in code points; numbers become text', () => {
  const decode = charDecoder(5);
  const rows: readonly (readonly [unknown, string])[] = [
    ['a', 'a'],
    [' a ', 'a'],
    ['\x1ca\x85', 'a'],
    ['  12345  ', '12345'],
    ['\ufeffa', '\ufeffa'],
    ['\u200ba', '\u200ba'],
    ['😀😀😀😀😀', '😀😀😀😀😀'],
    [12, '12'],
    [1.5, '1.5'],
    [0, '0'],
    [-1, '-1'],
    ['a\ud800', 'a\ufffd'],
  ];
  for (const [value, text] of rows) assert.equal(outcome(decode(value)), text, JSON.stringify(value));
  const refused: readonly unknown[] = [
    '',
    ' ',
    '\x1f\u3000',
    null,
    true,
    false,
    [],
    {},
    ['a'],
    123456,
    '123456',
    '😀😀😀😀😀😀',
    '1234567890123',
    'a\0b',
  ];
  for (const value of refused) assert.equal(outcome(decode(value)), REFUSED, JSON.stringify(value));
});

it('a number that cannot be kept exactly is refused rather than changed', () => {
  const decode = charDecoder(255);
  assert.equal(outcome(decode(9007199254740991)), '9007199254740991');
  assert.equal(outcome(decode(JSON.parse('12345678901234567890'))), REFUSED);
  assert.equal(outcome(decode(JSON.parse('1e400'))), REFUSED);
});

it('text of any kind: what is taken is trimmed, well-formed, within its bound and stays the same', () => {
  const decode = charDecoder(20);
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: 'binary', maxLength: 40 }), fc.anything()), (value) => {
      const decoded = decode(value);
      if (!decoded.ok) return;
      const length = Array.from(decoded.value).length;
      assert.ok(length >= 1 && length <= 20 && decoded.value.isWellFormed() && !decoded.value.includes('\0'));
      assert.deepEqual(decode(decoded.value), decoded);
      assert.deepEqual(decode(`\u2003 ${decoded.value}\t\r\n`), decoded);
    }),
    { numRuns: 1000 },
  );
});

/** What programs print where a token should be, as they were seen or as their languages print it. */
const NO_TOKENS = [
  ...['null', 'NULL', 'nil', 'None', 'undefined', 'NaN', '(null)', '<null>', '<nil>', '[null]', '{}', '<>'],
  '{length=32,bytes=0x740f4707bebcf74f...9b7c25d48e335894}',
  '{length=32,bytes=0x740f47079b7c25d48e335894}',
  ...['32bytes', 'Optional("740f4707")', 'Optional(32bytes)', '[116,15,71]', '<__NSCFData:0x600003e0>'],
  ...['<740f4707...>', '[objectObject]', '<OS_dispatch_data:data[0x2]={leaf}>'],
];

it('push tokens', () => {
  const rows: readonly (readonly [unknown, string])[] = [
    ['abc:DEF-_1', 'abc:DEF-_1'],
    [' abc ', 'abc'],
    ['a\tb', 'a\tb'],
    ['a'.repeat(250), 'a'.repeat(250)],
    [` ${'a'.repeat(250)}\n`, 'a'.repeat(250)],
    [123, '123'],
    ['<740f4707 bebcf74f 9B7C25d4>', '740f4707bebcf74f9B7C25d4'],
    ['<740f4707bebcf74f>', '740f4707bebcf74f'],
    ['nullify', 'nullify'],
    ['32byte', '32byte'],
    ['dA0+/w==', 'dA0+/w=='],
  ];
  for (const [value, token] of rows) {
    assert.equal(outcome(decodeToken(value)), token);
    assert.equal(outcome(decodeRegisteredToken(value)), token);
  }
  const refused: readonly unknown[] = ['', ' ', 'foo bar', 'a'.repeat(251), null, true, {}, 'a\0'];
  for (const value of refused) assert.equal(outcome(decodeToken(value)), REFUSED);
  // It may have registered before such tokens were refused, and must be able to log out.
  for (const value of NO_TOKENS) {
    assert.equal(outcome(decodeToken(value)), REFUSED, value);
    assert.equal(outcome(decodeRegisteredToken(value)), value);
    assert.equal(outcome(decodeOptionalToken(value)), null, value);
  }
});

it('the shape of a token that Apple cannot have made', () => {
  for (const token of ['ab'.repeat(32), 'AB'.repeat(80)]) assert.equal(oddTokenShape(token), undefined);
  assert.equal(oddTokenShape('dXJ0aGVy_Tok-n4:APA91bHun4MxP5egoKMwt2KZFBaFUH-1RYqx'), 'fcm');
  assert.equal(oddTokenShape(Buffer.alloc(32, 7).toString('base64')), 'base64');
  for (const token of ['abc', `0x${'ab'.repeat(32)}`, `${'ab'.repeat(32)}…`]) {
    assert.equal(oddTokenShape(token), 'other', token);
  }
});

it('fields that the reference never read cannot fail', () => {
  const rows: readonly (readonly [unknown, string | null])[] = [
    ['once', 'once'],
    [' once ', 'once'],
    ['', null],
    [' ', null],
    [null, null],
    [undefined, null],
    [1, null],
    [{}, null],
    ['a'.repeat(255), 'a'.repeat(255)],
    ['a'.repeat(256), null],
    ['a\0', null],
  ];
  for (const [value, profile] of rows) assert.equal(outcome(decodePushProfile(value)), profile);
  const tokens: readonly (readonly [unknown, string | null])[] = [
    ['00ff', '00ff'],
    ['', null],
    [null, null],
    [undefined, null],
    ['a b', null],
    ['a'.repeat(251), null],
    [12, null],
    [[], null],
  ];
  for (const [value, token] of tokens) assert.equal(outcome(decodeOptionalToken(value)), token);
});
