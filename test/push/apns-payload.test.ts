import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import {
  APNS_VOIP_LIMIT,
  alertPayload,
  callPayload,
  voipNoticePayload,
} from '../../src/push/services/apns/payload.ts';
import { makeCall } from './helpers/provider-fixture.ts';

/** Names of every sort: emoji, accents, control characters, quotes, halves of surrogate pairs. */
const anyName = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 6_000 }),
  fc.string({ unit: 'grapheme', maxLength: 3_000 }),
  fc
    .array(fc.constantFrom('"', '\\', '\u0000', '\ud83d', '\udc4d', '👨‍👩‍👧‍👦', 'é', 'a', '\u2028'), {
      maxLength: 3_000,
    })
    .map((parts) => parts.join('')),
);

it('a call push holds every field that the apps read, in one compact object', () => {
  assert.equal(
    callPayload(makeCall({ attempt: 2 }), false),
    '{"aps":{},"type":"call","unique_key":"0123456789abcdef0123456789abcdef","phonenumber":"+31501234567",' +
      '"caller_id":"Reception","response_api":"https://wake.example.com/api/call-response/",' +
      '"message_start_time":1574950000.123456,"attempt":2,"vg_cid":"0123456789abcdef0123456789abcdef"}',
  );
});

it('the minimal payload leaves the name out', () => {
  assert.equal(JSON.parse(callPayload(makeCall(), true)).caller_id, '');
});

it('notices carry their text where the phone shows it, or where old apps read it', () => {
  assert.equal(alertPayload('Hello'), '{"aps":{"alert":"Hello"}}');
  assert.equal(voipNoticePayload('Hello'), '{"aps":{},"type":"message","message":"Hello"}');
});

it('any name gives valid JSON within the limit and a beginning of the name', () => {
  fc.assert(
    fc.property(anyName, (callerId) => {
      const json = callPayload(makeCall({ callerId }), false);
      assert.ok(Buffer.byteLength(json) <= APNS_VOIP_LIMIT);
      const name: string = JSON.parse(json).caller_id;
      assert.ok(name.isWellFormed());
      assert.ok(callerId.toWellFormed().startsWith(name));
      assert.equal(JSON.parse(json).vg_cid, makeCall().uniqueKey);
    }),
  );
});

it('a name is cut between the characters that a person sees, and no sooner than needed', () => {
  const family = '👨‍👩‍👧‍👦';
  const json = callPayload(makeCall({ callerId: family.repeat(1_000) }), false);
  const name: string = JSON.parse(json).caller_id;
  assert.equal(name, family.repeat(name.length / family.length));
  assert.ok(Buffer.byteLength(json) + Buffer.byteLength(family) > APNS_VOIP_LIMIT);
});

it('a payload of exactly the limit is not cut', () => {
  const room = APNS_VOIP_LIMIT - Buffer.byteLength(callPayload(makeCall({ callerId: '' }), false));
  const fits = 'x'.repeat(room);
  assert.equal(JSON.parse(callPayload(makeCall({ callerId: fits }), false)).caller_id, fits);
  assert.equal(JSON.parse(callPayload(makeCall({ callerId: `${fits}x` }), false)).caller_id, fits);
});
