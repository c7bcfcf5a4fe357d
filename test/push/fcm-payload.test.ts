import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { callPayload, FCM_DATA_LIMIT, noticePayload } from '../../src/push/services/fcm/payload.ts';
import { makeCall } from './helpers/provider-fixture.ts';

const anyName = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 6_000 }),
  fc
    .array(fc.constantFrom('"', '\\', '\n', '\ud83d', '\udc4d', '👍🏽', 'é', 'a'), { maxLength: 3_000 })
    .map((parts) => parts.join('')),
);

it('a call push is data only, all strings, urgent, now or never', () => {
  const body = callPayload('tok"en', makeCall({ messageStartTime: 1_574_950_000.5 }), false);
  assert.deepEqual(JSON.parse(body), {
    message: {
      token: 'tok"en',
      data: {
        type: 'call',
        unique_key: '0123456789abcdef0123456789abcdef',
        phonenumber: '+31501234567',
        caller_id: 'Reception',
        response_api: 'https://wake.example.com/api/call-response/',
        message_start_time: '1574950000.5000000',
        attempt: '1',
        vg_cid: '0123456789abcdef0123456789abcdef',
      },
      android: { priority: 'HIGH', ttl: '0s' },
    },
  });
});

it('a notice is of normal priority and gone after an hour', () => {
  assert.deepEqual(JSON.parse(noticePayload('token', 'Taken over')), {
    message: {
      token: 'token',
      data: { type: 'message', message: 'Taken over' },
      android: { priority: 'NORMAL', ttl: '3600s' },
    },
  });
});

it('the minimal payload leaves the name out', () => {
  assert.equal(JSON.parse(callPayload('t', makeCall(), true)).message.data.caller_id, '');
});

it('any name gives valid JSON with data within the limit and a beginning of the name', () => {
  fc.assert(
    fc.property(anyName, (callerId) => {
      const { data } = JSON.parse(callPayload('token', makeCall({ callerId }), false)).message;
      assert.ok(Buffer.byteLength(JSON.stringify(data)) <= FCM_DATA_LIMIT);
      assert.ok(data.caller_id.isWellFormed());
      assert.ok(callerId.toWellFormed().startsWith(data.caller_id));
      assert.ok(Object.values(data).every((value) => typeof value === 'string'));
    }),
  );
});
