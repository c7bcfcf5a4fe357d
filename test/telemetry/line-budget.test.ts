import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type EventRow, recordedTelemetry } from './recorded.ts';

const BUG = new TypeError('a bug');
const DEVICE = { account: 123_456_789, platform: 'android', app: 'com.example.phone', token: 'secret' };

describe('a flood of lines that anybody can cause', () => {
  const BEYOND = 5;
  const rows: readonly (readonly [string, number, EventRow['happens']])[] = [
    ['invalid', 20, ({ http }) => http.requestInvalid({ endpoint: 'check-in', field: 'body', problem: 'x' })],
    ['refused', 20, ({ http }) => http.requestRefused({ endpoint: 'pbx', why: 'token' })],
    ['closed', 20, ({ http }) => http.connectionClosed({ why: 'idle' })],
    ['unproven', 20, ({ http }) => http.answerUnproven({ uniqueKey: 'k', proof: 'wrong', refused: true })],
    ['failed', 20, ({ http }) => http.requestFailed({ endpoint: 'check-in', error: BUG })],
    ['storage', 20, ({ http }) => http.storageFailed({ during: 'x', error: BUG })],
    ['forgotten', 20, ({ limits }) => limits.keyForgotten({ limit: 'pbx' })],
    ['registered', 600, ({ http }) => http.deviceRegistered({ ...DEVICE, created: true, takeover: false })],
    ['unregistered', 600, ({ http }) => http.deviceUnregistered({ ...DEVICE, found: true })],
    ['hangups', 600, ({ http }) => http.hangupReported({ account: 1, uniqueKey: 'k', reason: 'x' })],
  ];
  for (const [name, most, happens] of rows) {
    it(`${name}: ${most} a minute, and one that says how many were left out`, async (t) => {
      t.mock.timers.enable({ apis: ['setTimeout'] });
      const { telemetry, lines } = await recordedTelemetry(t);
      const flood = () => {
        for (let times = 0; times < most + BEYOND; times += 1) happens(telemetry);
      };
      flood();
      const [first, ...more] = lines();
      assert.equal(more.length, most - 1);
      t.mock.timers.tick(59_999);
      assert.deepEqual(lines(), []);
      t.mock.timers.tick(1);
      const [left, ...others] = lines();
      assert.deepEqual(left?.slice(0, 2), [first?.[0], `more lines like "${first?.[1]}" were left out`]);
      assert.equal(left?.[2]['leftOut'], BEYOND);
      assert.deepEqual(others, []);
      flood();
      assert.equal(lines().length, most, 'another minute');
    });
  }
});
