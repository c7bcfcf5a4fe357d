import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { hideSecrets } from '../../src/telemetry/hide-secrets.ts';

/** One row for each shape that is looked for; no other shape hides the same in its text. */
const HIDDEN = [
  ['-----BEGIN EC PRIVATE KEY-----\nabc\n-----END EC PRIVATE KEY----- was read', '(PEM hidden) was read'],
  ['-----BEGIN EC PRIVATE KEY-----\nabc, cut off', '(PEM hidden)'],
  ['key MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgabcdef', 'key (PEM hidden)'],
  ['http://user:pa/ss@proxy.example:3128 failed', 'http://(hidden)@proxy.example:3128 failed'],
  ['https://letmein@proxy.example failed', 'https://(hidden)@proxy.example failed'],
  ['postgres://u:let me@db/x failed', 'postgres://(hidden)@db/x failed'],
  ['<sip:bob@pbx.example.org>;tag=1', '<sip:(user hidden)@pbx.example.org>;tag=1'],
  ['Set-Cookie: a=b; c=d', 'Set-Cookie: (hidden)'],
  ['HELLO 3 AUTH default letmein failed', 'HELLO 3 AUTH default (hidden) failed'],
  ["{ name: 'auth', args: [ 'letmein' ] }", "{ name: 'auth', args: [ (hidden) ] }"],
  ["IDENTIFIED BY 'letmein' failed", 'IDENTIFIED BY (hidden) failed'],
  ['proxy-authorization: Digest letmein', 'proxy-authorization: (hidden)'],
  ['Basic bGV0bWVpbg== was sent', 'Basic (hidden) was sent'],
  ['token bob@example.com:abc was sent', 'token (hidden) was sent'],
  ['bearer letmein was refused', 'bearer (hidden) was refused'],
  ['the passphrase is let7mein, they say', 'the passphrase is (hidden), they say'],
  ['the password "letmein" is wrong', 'the password (hidden) is wrong'],
  ['got eyJhbGciOiJFUzI1NiJ9.eyJp.abc here', 'got (JWT hidden) here'],
  ['got ya29.abcdefghijkl here', 'got (hidden) here'],
  ['got 1//0abcdefghijklmnopqrstuvw here', 'got (hidden) here'],
  ['got AIzaabcdefghijklmnopqrstuvwxyzabcdefgh here', 'got (hidden) here'],
  [`got AAAAabcdefg:${'abcdefghij'.repeat(6)} here`, 'got (hidden) here'],
  ['got fcm:APA91bHun4MxP5 here', 'got (token hidden) here'],
  [`got abcdefghijklmnopqrstuv:${'abcdefghij'.repeat(6)} here`, 'got (token hidden) here'],
  [`got ${'c0ffee00'.repeat(8)} here`, 'got (token hidden) here'],
  [`got <${Array(8).fill('c0ffee00').join(' ')}> here`, 'got (token hidden) here'],
  ['POST /3/device/fcm-token?x', 'POST /3/device/(token hidden)?x'],
  ['client_secret=letmein&x=1', 'client_secret=(hidden)&x=1'],
  ['{"token":"letmein"}', '{"token":(hidden)}'],
  ['got aB3dE5fG7hI9jK1lM3nO5pQ7rS9tU1vW3xY5zA7bC9dE1 here', 'got (long value hidden) here'],
  [`got ${'aB3d'.repeat(10)} here`, 'got (long value hidden) here'],
  // The least disorder: more than a change every four characters, or thrice in ten without a digit.
  [`got ${'a1'.repeat(5)}B${'c'.repeat(29)} here`, 'got (long value hidden) here'],
  [`got ${'aB'.repeat(7)}${'C'.repeat(26)} here`, 'got (long value hidden) here'],
  ['called +31 6 1234 5678 back', 'called (number hidden) back'],
  ['called 0031612345678 back', 'called (number hidden) back'],
  ['to=%2012345678', 'to=%20(number hidden)'],
  ['called 555-123-4567 back', 'called (number hidden) back'],
  ['called 1 800 555 1234 back', 'called (number hidden) back'],
  ['called 31612345678 back', 'called (number hidden) back'],
  ['called 06.12.34.56.78 back', 'called (number hidden) back'],
  ['called 0612.345.678 back', 'called (number hidden) back'],
  // The bounds of what counts as a number: 7 to 15 digits.
  ['called 1234567 back', 'called (number hidden) back'],
  ['called 123456789012345 back', 'called (number hidden) back'],
  // What was hidden before keeps its own word.
  ['access_token=eyJhbGciOiJFUzI1NiJ9.e.s', 'access_token=(JWT hidden)'],
] as const;

/** One row for each kind of text that has digits, or the name of a secret, and is none. */
const KEPT = [
  String.raw`C:\u0031234567`,
  'id 12345678-1234-1234-1234-123456789012',
  'error:12345678:lib',
  'at 2026-11-30 08:59:02.123+01:00',
  'sha256:123456789012',
  'sha1:1234567890',
  'eth0_100.100.100.200:54321',
  'from 100000000 to 999999999',
  'pid 12345678, offset=1234567, errno: 1234567',
  'inode 12345678, heap=123456789, max_allowed_packet 16777217',
  'exp 1764500000, "iat":1764500000',
  'at 1764500000123',
  'projects/123456789012/messages',
  'than 67108864',
  '123456789 bytes, 1234567 ms',
  '1234567 calls',
  '1.2.0123.456.7',
  '0.123456789',
  'commit 1234567890abcdef1234567890abcdef12345678',
  'key ABC1234567',
  'releases/20261130085902/x',
  'messages/0:1500415314455276',
  `${'capital_letters_and_small_ones_'.toUpperCase()}capital_letters_and_small_ones`,
  `got ${'aB3d'.repeat(10).slice(1)} here`,
  `got ${'a1'.repeat(4)}aB${'c'.repeat(30)} here`,
  `got ${'aB'.repeat(6)}${'c'.repeat(28)} here`,
  'called 123456 back',
  '(using password: YES)',
  '(using password: NO)',
  'password=true',
  'secret=false',
  '{"password":null}',
  'token=undefined&x',
  'secret: none',
] as const;

describe('what a log line must not say', () => {
  for (const [text, shown] of HIDDEN)
    it(`is hidden: ${JSON.stringify(text.slice(0, 50))}`, () => assert.equal(hideSecrets(text), shown));
});

describe('what a log line may say', () => {
  for (const text of KEPT) it(`is kept: ${text}`, () => assert.equal(hideSecrets(text), text));
});
