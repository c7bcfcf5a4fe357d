import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { decodeAccountNumber } from '../../src/http/wire/fields/decode-account-number.ts';
import { decodeBoolean } from '../../src/http/wire/fields/decode-boolean.ts';
import { decodeFloat } from '../../src/http/wire/fields/decode-float.ts';
import { outcome, REFUSED } from './outcome.ts';

// The tables were run through Django REST framework 3.6.4; where this service differs, the row says so.

it('account numbers', () => {
  const taken: readonly unknown[] = [
    123456789,
    123456789.0,
    1.23456789e8,
    '123456789',
    ' 123456789 ',
    '0123456789',
    '+123456789',
    '123456789.00 ',
    '123456789.',
    '123456789 .0',
    '123456789\n',
    '123456789.0\n',
    '\u2003123456789',
    '123456789.\u2003',
    `${'0'.repeat(900)}123456789`,
    // As long as the text of a number may be.
    `${'0'.repeat(991)}123456789`,
  ];
  for (const value of taken)
    assert.equal(outcome(decodeAccountNumber(value)), 123456789, JSON.stringify(value));
  assert.equal(outcome(decodeAccountNumber('100000000')), 100000000);
  assert.equal(outcome(decodeAccountNumber(999999999)), 999999999);

  const refused: readonly unknown[] = [
    '1.2e8',
    true,
    false,
    null,
    123456789.5,
    '123456789.5',
    '-123456789',
    -123456789,
    '99999999',
    99999999,
    '1000000000',
    1000000000,
    1e300,
    Number.POSITIVE_INFINITY,
    '',
    ' ',
    '.',
    '.0',
    [],
    [123456789],
    {},
    '123456789.0.0',
    `${'0'.repeat(992)}123456789`,
    '+ 123456789',
    '++123456789',
    '\ufeff123456789',
    '0x75BCD15',
    '1234 56789',
    '123456789\0',
    // Django REST framework takes these two.
    '123_456_789',
    '１２３４５６７８９',
  ];
  for (const value of refused)
    assert.equal(outcome(decodeAccountNumber(value)), REFUSED, JSON.stringify(value));
});

it('an account number comes back from any way to write it', () => {
  const space = fc.constantFrom('', ' ', '\t', '\r\n', '\u00a0', '\u3000', '\x1f', '  ');
  const written = fc.record({
    account: fc.integer({ min: 100_000_000, max: 999_999_999 }),
    before: space,
    sign: fc.constantFrom('', '+'),
    zeros: fc.integer({ min: 0, max: 20 }),
    fraction: fc.constantFrom('', '.', '.0', '.000'),
    after: space,
  });
  fc.assert(
    fc.property(written, ({ account, before, sign, zeros, fraction, after }) => {
      const text = `${before}${sign}${'0'.repeat(zeros)}${account}${fraction}${after}`;
      assert.equal(outcome(decodeAccountNumber(text)), account);
      assert.equal(outcome(decodeAccountNumber(account)), account);
    }),
  );
});

it('whatever is taken for an account number is one', () => {
  fc.assert(
    fc.property(fc.oneof(fc.anything(), fc.string(), fc.double(), fc.maxSafeInteger()), (value) => {
      const decoded = decodeAccountNumber(value);
      if (!decoded.ok) return;
      assert.ok(Number.isInteger(decoded.value) && decoded.value >= 1e8 && decoded.value <= 999999999);
    }),
    { numRuns: 1000 },
  );
});

it('booleans: exactly these words', () => {
  const yes = ['t', 'T', 'y', 'Y', 'yes', 'YES', 'true', 'True', 'TRUE', 'on', 'On', 'ON', '1', 1, 1.0, true];
  const no = [
    'f',
    'F',
    'n',
    'N',
    'no',
    'NO',
    'false',
    'False',
    'FALSE',
    'off',
    'Off',
    'OFF',
    '0',
    0,
    -0,
    false,
  ];
  const neither = [
    'Yes',
    'No',
    'tRUE',
    'oN',
    ' true',
    'true ',
    '',
    'null',
    'None',
    2,
    -1,
    0.5,
    null,
    undefined,
    [],
    {},
    [true],
  ];
  for (const value of yes) assert.equal(outcome(decodeBoolean(value)), true, String(value));
  for (const value of no) assert.equal(outcome(decodeBoolean(value)), false, String(value));
  for (const value of neither) assert.equal(outcome(decodeBoolean(value)), REFUSED, String(value));
});

it('floats', () => {
  const rows: readonly (readonly [unknown, number])[] = [
    [1.5, 1.5],
    ['1.5', 1.5],
    [' 1.5 ', 1.5],
    ['1e3', 1000],
    ['1E+3', 1000],
    ['.5', 0.5],
    ['5.', 5],
    ['+1', 1],
    ['-1', -1],
    ['-1.5e-3', -0.0015],
    [0, 0],
    [true, 1],
    [false, 0],
    ['1574950000.1234567', 1574950000.1234567],
    ['\u00a01\u2003', 1],
    // As long as the text of a number may be.
    [`1.${'0'.repeat(998)}`, 1],
  ];
  for (const [value, number] of rows) assert.equal(outcome(decodeFloat(value)), number, String(value));
  const refused: readonly unknown[] = [
    null,
    '',
    ' ',
    '.',
    'e3',
    '1e',
    '0x10',
    '1,5',
    '1 5',
    [],
    {},
    `1.${'0'.repeat(999)}`,
    '1__0',
    '_1',
    '1_',
    '--1',
    // Django REST framework takes these.
    'nan',
    'inf',
    '-Infinity',
    'Infinity',
    '1e400',
    Number.NaN,
    Number.POSITIVE_INFINITY,
    '1_000.5',
    '١.٥',
  ];
  for (const value of refused) assert.equal(outcome(decodeFloat(value)), REFUSED, String(value));
});

function floatOf(written: unknown): number {
  const decoded = decodeFloat(written);
  assert.ok(decoded.ok, String(written));
  return decoded.value;
}

it('a finite number comes back from its text', () => {
  fc.assert(
    fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (number) => {
      for (const written of [number, ` ${number} `, number.toExponential(20), `+${Math.abs(number)}`]) {
        assert.equal(Math.abs(floatOf(written)), Math.abs(number));
      }
    }),
  );
});
