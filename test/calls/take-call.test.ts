import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CallAsk } from '../../src/calls/call.ts';
import { type Caller, type CallParts, takeCall } from '../../src/calls/take-call.ts';
import { WaitingRoom } from '../../src/calls/waiting-room.ts';
import type { Device } from '../../src/devices/device.ts';

const DEVICE: Device = {
  account: 100_000_001,
  appKey: 1,
  platform: 'android',
  appId: 'com.example.phone',
  token: 'token',
  sandbox: null,
  name: null,
  osVersion: null,
  clientVersion: null,
  remoteLoggingId: null,
  pushProfile: null,
  remoteNotificationToken: null,
  registeredAt: 0,
  lastSeenAt: 0,
};

/** The story on a database that answers when the test says so: SQLite is too quick for these races. */
function scene() {
  const lookups: PromiseWithResolvers<Device | undefined>[] = [];
  const room = new WaitingRoom({ maxWaiting: 10, waitMs: 60_000 });
  const ended: string[] = [];
  let pushes = 0;
  const parts: CallParts = {
    room,
    devices: {
      find: () => {
        const lookup = Promise.withResolvers<Device | undefined>();
        lookups.push(lookup);
        return lookup.promise;
      },
    },
    pusher: {
      send: async () => {
        pushes += 1;
        return { kind: 'accepted', reason: 'accepted' };
      },
    },
    plan: { resendMs: 60_000, maxAttempts: 1, responseApi: 'http://127.0.0.1/api/call-response/' },
    events: {
      callEnded: (_call, { outcome }) => ended.push(outcome),
      callTurnedAway: ({ ending }) => ended.push(ending.outcome),
      callRepeated: () => {},
      answerCame: () => {},
      storageFailed: () => {},
    },
  };
  const answerLookups = (device: Device | undefined) => {
    for (const lookup of lookups.splice(0)) lookup.resolve(device);
  };
  return { parts, room, ended, answerLookups, pushes: () => pushes };
}

const newAsk = (callId: string): CallAsk => ({
  askedAt: performance.now(),
  account: DEVICE.account,
  callId,
  phoneNumber: '0201234567',
  callerId: '',
});
const newCaller = (): Caller => ({ gone: false, onGone: undefined });

test('two requests for a call that both look the phone up at once push it once and share the answer', async () => {
  const { parts, room, answerLookups, pushes } = scene();
  const both = [takeCall(parts, newAsk('call'), newCaller()), takeCall(parts, newAsk('call'), newCaller())];
  answerLookups(DEVICE);
  await new Promise(setImmediate);
  assert.equal(room.size, 1);
  assert.equal(pushes(), 1);
  assert.equal(room.answer('call', true).fate, 'taken');
  const endings = await Promise.all(both);
  assert.deepEqual(
    endings.map(({ ending }) => ending.outcome),
    ['ready', 'ready'],
  );
});

test('a PBX that hangs up while the phone is looked up wakes nobody', async () => {
  const { parts, room, ended, answerLookups, pushes } = scene();
  const caller = newCaller();
  const taken = takeCall(parts, newAsk('call'), caller);
  caller.gone = true;
  answerLookups(DEVICE);
  assert.equal((await taken).ending.outcome, 'caller-gone');
  assert.deepEqual(ended, ['caller-gone']);
  assert.equal(pushes(), 0);
  assert.equal(room.size, 0);
});
