import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { redact } from '../../src/telemetry/redaction.ts';

test('the id of a push, which Apple knows it by, is readable whatever its digits are', () => {
  fc.assert(fc.property(fc.uuid(), (push) => assert.deepEqual(redact({ push }), { push })));
});

test("Apple's ids of a key and its team are readable, digits only as well", () => {
  const ids = { keyId: '1234567890', teamId: '0987654321' };
  assert.deepEqual(redact(ids), ids);
});

test('a number in any other field is hidden', () => {
  assert.deepEqual(redact({ detail: 'called +31 6 12345678 back' }), {
    detail: 'called (number hidden) back',
  });
});

test('what a client sends neither steers a terminal nor breaks or turns a line', () => {
  const sent = 'a\u009b31m\u007f\u0085\u2028b\u2029\u202ec\u2066\u00e9\u{1f4de}';
  const shown = 'a\ufffd31m\ufffd\ufffd\ufffdb\ufffd\ufffdc\ufffd\u00e9\u{1f4de}';
  assert.deepEqual(redact({ call: sent, reason: sent, app: 'plain' }), {
    call: shown,
    reason: shown,
    app: 'plain',
  });
});
