import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { redact, scrub } from '../../src/telemetry/redaction.ts';

it('the id of a push, which Apple knows it by, is readable whatever its digits are', () => {
  fc.assert(fc.property(fc.uuid(), (push) => assert.deepEqual(redact({ push }), { push })));
});

it("Apple's ids of a key and its team are readable, digits only as well", () => {
  const ids = { keyId: '1234567890', teamId: '0987654321' };
  assert.deepEqual(redact(ids), ids);
});

it('a number in any other field is hidden', () => {
  assert.deepEqual(redact({ detail: 'called +31 6 12345678 back' }), {
    detail: 'called (number hidden) back',
  });
});

it('what a client sends neither steers a terminal nor breaks or turns a line', () => {
  const sent = 'a\u009b31m\u007f\u0085\u2028b\u2029\u202ec\u2066\u00e9\u{1f4de}';
  const shown = 'a\ufffd31m\ufffd\ufffd\ufffdb\ufffd\ufffdc\ufffd\u00e9\u{1f4de}';
  assert.deepEqual(redact({ call: sent, reason: sent, app: 'plain' }), {
    call: shown,
    reason: shown,
    app: 'plain',
  });
});

/** A value that no other key would leave as it is. */
const NUMBER = '+31612345678';

describe('a field is written by its key', () => {
  const rows: readonly (readonly [string, string, string])[] = [
    ...[
      'account',
      'app',
      'call',
      'callId',
      'certificate',
      'database',
      'expires',
      'keyId',
      'origin',
      'redis',
      'teamId',
      'tlsProblem',
      'fate',
      'found',
      'outcome',
      'platform',
      'push',
    ].map((key) => [key, NUMBER, NUMBER] as const),
    // The same hash in every version: an operator compares it with an older log.
    ['token', 'fcm-token', 'sha256:f0bba75fabb9'],
    ['remoteNotificationToken', 'fcm-token', 'sha256:f0bba75fabb9'],
    ['phoneNumber', NUMBER, '…78'],
    ['callerId', 'Jolanda van Privé', '(17 characters)'],
    ['name', 'iPhone van Willemijn', '(20 characters)'],
    ['authorization', 'letmein', '(hidden)'],
    ['reason', `called ${NUMBER} back`, 'called (number hidden) back'],
    ['anything', NUMBER, '(number hidden)'],
    ['Token', 'password=letmein', 'password=(hidden)'],
  ];
  for (const [key, value, shown] of rows)
    it(`${key} ${value}`, () => assert.deepEqual(redact({ [key]: value }), { [key]: shown }));
});

it('a field that is no text is written as it is, and one without a value is left out', () => {
  const fields = { account: 123456789, since: 31612345678, alarm: false, reason: null, call: undefined };
  assert.deepEqual(redact(fields), { account: 123456789, since: 31612345678, alarm: false, reason: null });
});

it('a text is cut to a thousand characters, and a secret is not cut before it is looked for', () => {
  const shown = scrub(`${'x '.repeat(490)}${'c0ffee00'.repeat(8)}`);
  assert.equal(shown, `${'x '.repeat(490)}(token hidden)`);
  assert.equal(scrub('y '.repeat(3_000)), 'y '.repeat(500));
  const cut = scrub(`${'x '.repeat(1_999)}letmein-and-more`, 4_000);
  assert.equal(cut, 'x '.repeat(1_999), 'a word that is only half read is not shown');
});
