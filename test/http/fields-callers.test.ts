import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { it } from 'node:test';
import fc from 'fast-check';
import { cutTextDecoder } from '../../src/http/wire/fields/cut-text.ts';
import {
  decodeCallId,
  decodeCallKey,
  decodeOptionalCallId,
} from '../../src/http/wire/fields/decode-call-key.ts';
import { decodePhoneNumber } from '../../src/http/wire/fields/decode-phone-number.ts';
import { outcome, REFUSED } from './outcome.ts';

it('phone numbers: written in any way, short codes, suppressed numbers, SIP users', () => {
  const taken = [
    '0123456789',
    '+31612345678',
    '(012) 345 678',
    '012-345',
    '012–345',
    '+31 (0)6 12 34 56 78',
    '0612345678x12',
    '*21',
    '#31#0612345678',
    '*100#',
    'anonymous',
    'Anonymous',
    'xxxx',
    'unknown',
    'onbekend',
    'Privé',
    'john.doe',
    'asterisk',
    "o'hara",
    '+31612345678;phone-context=nl',
    '٠١٢٣',
    '０１２',
    '1',
    '²',
  ];
  for (const number of taken) assert.equal(outcome(decodePhoneNumber(number)), number);
  assert.equal(outcome(decodePhoneNumber('  +31 6 ')), '+31 6');
  assert.equal(outcome(decodePhoneNumber(31612345678)), '31612345678');
  assert.equal(outcome(decodePhoneNumber('1'.repeat(32))), '1'.repeat(32));
  assert.equal(outcome(decodePhoneNumber(` ${'1'.repeat(32)} `)), '1'.repeat(32));
});

it('phone numbers: an address of any kind is its user or number', () => {
  const rows: readonly (readonly [string, string])[] = [
    ['sip:+31612345678@pbx.example.org', '+31612345678'],
    ['sips:101@pbx.example.org:5061;transport=tls', '101'],
    ['SIP:john@example.com', 'john'],
    ['john@example.com', 'john'],
    ['4412@tenant7', '4412'],
    ['sip:+31612345678;phone-context=nl@gateway;user=phone', '+31612345678'],
    ['sip:alice:s3cret@example.com', 'alice'],
    ['sip:%2B31612345678@host', '+31612345678'],
    ['sip:%C3%A9va@host', 'éva'],
    ['sip:z%EBb@host', 'zb'],
    ['sip:50%@host', '50%'],
    ['sip:*21%23@host', '*21#'],
    ['tel:+31-6-12345678;phone-context=+31', '+31-6-12345678'],
    ['tel:101;isub=1', '101'],
    ['sip:0201234567', '0201234567'],
    ['sip:0201234567:5060;user=phone', '0201234567'],
    ['<sip:101@pbx>', '101'],
    ['"Bob" <sip:+31612345678@host;user=phone>;tag=4711', '+31612345678'],
    ['"Bob \\"the\\" <sip:666@evil>" <sip:101@pbx>;tag="<x>"', '101'],
    ['Bob Smith <sip:101@pbx>', '101'],
    ['"Bob" <101>', '101'],
    ['"Bob" <tel:+31612345678>', '+31612345678'],
    ['Bob sip:101@pbx', '101'],
    ['<sip:101@pbx', '101'],
    ['<alice>', 'alice'],
    ['"0201234567"', '0201234567'],
    [`sip:${'7'.repeat(20)}@${'long.'.repeat(50)}example.org`, '7'.repeat(20)],
  ];
  for (const [sent, shown] of rows) assert.equal(outcome(decodePhoneNumber(sent)), shown, sent);
});

it('phone numbers: who is not named is anonymous', () => {
  const nobody: readonly unknown[] = [
    undefined,
    null,
    true,
    false,
    [],
    {},
    ['1'],
    { number: '1' },
    2 ** 60,
    '',
    ' ',
    '\t\n',
    '\0',
    '+',
    '()-',
    '--',
    '😀',
    '"',
    '""',
    '<>',
    '<unknown>',
    '"" <null>',
    '"Anonymous" <sip:anonymous@anonymous.invalid>',
    'sip:Anonymous@Anonymous.Invalid',
    'sip:c8oqz84zk7z@anonymous.invalid;gr',
    'sip:restricted@pbx',
    'sip:unavailable@unknown.invalid',
    'sip:@pbx',
    'sip:',
    'sip:pbx.example.org',
    'sip:192.0.2.7',
    'sip:192.0.2.7:5060',
    'tel:',
    '@',
  ];
  for (const value of nobody)
    assert.equal(outcome(decodePhoneNumber(value)), 'anonymous', JSON.stringify(value));
});

it('phone numbers: characters that no number has are left out, and what is too long is cut', () => {
  const rows: readonly (readonly [unknown, string])[] = [
    ['012\n345', '012 345'],
    ['012\t345', '012 345'],
    ['012\x00345', '012345'],
    ['\x1b[31m1', '31m1'],
    ['1\\2{3}|4', '1234'],
    ['+31 6 😀', '+31 6'],
    ['06\ufffd12', '0612'],
    ['0612\u202e345', '0612345'],
    ['1'.repeat(33), '1'.repeat(32)],
    ['1'.repeat(60_000), '1'.repeat(32)],
    [`${'é'.normalize('NFD').repeat(16)}x`, 'é'.normalize('NFD').repeat(16)],
    [`${'1'.repeat(31)}${'é'.normalize('NFD')}`, '1'.repeat(31)],
    [-5, '-5'],
    [12.5, '12.5'],
  ];
  for (const [sent, shown] of rows)
    assert.equal(outcome(decodePhoneNumber(sent)), shown, JSON.stringify(sent));
});

it('whatever stands for a number, the app gets 1 to 32 characters that can be shown', () => {
  const part = fc.constantFrom(
    'sip:',
    'tel:',
    '"',
    '<',
    '>',
    '@',
    ';',
    '%',
    '%2',
    '%40',
    ' ',
    '\\',
    'é',
    '1',
    '\0',
  );
  const value = fc.oneof(fc.jsonValue(), fc.string({ unit: 'binary' }), fc.string({ unit: part }));
  fc.assert(
    fc.property(value, (sent) => {
      const number = outcome(decodePhoneNumber(sent));
      assert.match(number, /^[^\p{C}<>"\\]{1,32}$/u);
      assert.ok(number.isWellFormed());
    }),
    { numRuns: 2000 },
  );
});

it('names: cut between characters, never refused', () => {
  const decode = cutTextDecoder(255);
  const family = '👨‍👩‍👧';
  const rows: readonly (readonly [unknown, string])[] = [
    [undefined, ''],
    [null, ''],
    [true, ''],
    [{}, ''],
    [' ', ''],
    [' Bob ', 'Bob'],
    [5, '5'],
    ['a\0b', 'ab'],
    ['x'.repeat(300), 'x'.repeat(255)],
    ['😀'.repeat(300), '😀'.repeat(255)],
    [`${'x'.repeat(254)}${family}`, 'x'.repeat(254)],
    [`${'x'.repeat(250)}${family}y`, `${'x'.repeat(250)}${family}`],
    [`${'x'.repeat(254)}é`.normalize('NFD'), 'x'.repeat(254)],
    [`a${'\u0301'.repeat(400)}`, `a${'\u0301'.repeat(254)}`],
    [`${'x'.repeat(254)} y`, 'x'.repeat(254)],
    ['\ud83d', '\ufffd'],
  ];
  for (const [sent, kept] of rows) assert.equal(outcome(decode(sent)), kept, JSON.stringify(sent));
});

it('names of calls: a long one stands for its digest, wherever it is sent', () => {
  const long = `${'c'.repeat(250)}@pbx;[+]`;
  const digest = createHash('sha256').update(long).digest('hex').slice(0, 32);
  const rows: readonly (readonly [unknown, string])[] = [
    ['x', 'x'],
    [' x ', 'x'],
    [5, '5'],
    ['c'.repeat(255), 'c'.repeat(255)],
    ['😀'.repeat(255), '😀'.repeat(255)],
    [long, digest],
    [` ${long}\n`, digest],
    ['', REFUSED],
    [' ', REFUSED],
    [true, REFUSED],
    [2 ** 60, REFUSED],
  ];
  for (const [sent, key] of rows) {
    assert.equal(outcome(decodeCallKey(sent)), key);
    assert.equal(outcome(decodeCallId(sent)), key);
    assert.equal(outcome(decodeOptionalCallId(sent)), key === REFUSED ? undefined : key);
  }
  assert.equal(outcome(decodeCallKey('a\0b')), REFUSED);
  assert.equal(outcome(decodeCallId('a\0b')), 'ab');
  assert.equal(outcome(decodeOptionalCallId('\0')), undefined);
  assert.notEqual(outcome(decodeCallKey(`${long}1`)), outcome(decodeCallKey(`${long}2`)));
});

it('every number that the reference takes is taken', () => {
  const character = fc.constantFrom(...'0123456789+() x–', '٣', '５');
  fc.assert(
    fc.property(fc.string({ unit: character, minLength: 1, maxLength: 32 }), (text) => {
      const digits = text.replace(/[+()– x]/g, '');
      if (digits !== '') assert.equal(outcome(decodePhoneNumber(text)), text.trim());
    }),
  );
});
