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
