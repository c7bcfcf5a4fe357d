import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createLoneBus } from '../../src/bus/lone-bus.ts';
import type { CallAsk } from '../../src/calls/call.ts';
import type { CallEvents } from '../../src/calls/call-events.ts';
import { type Caller, takeCall } from '../../src/calls/take-call.ts';
import { WaitingRoom } from '../../src/calls/waiting-room.ts';
import type { Device } from '../../src/devices/device.ts';
import { monotonic } from '../../src/lib/monotonic.ts';
import { makeDevice } from '../push/helpers/provider-fixture.ts';

const ACCOUNT = 123_456_789;

/** The story with a push service that takes every push, and a device store that answers when it is told to. */
function story() {
  const lookup = Promise.withResolvers<Device | undefined>();
  const room = new WaitingRoom({ maxWaiting: 10, waitMs: 30_000 });
  const turnedAway: string[] = [];
  const repeated: Parameters<CallEvents['callRepeated']>[0][] = [];
  let pushes = 0;
  const events: CallEvents = {
    callEnded: () => {},
    callTurnedAway: ({ ending }) => turnedAway.push(ending.outcome),
    callRepeated: (event) => repeated.push(event),
    answerCame: () => {},
    storageFailed: () => {},
  };
  const parts = {
    admission: { refusal: () => undefined, find: () => lookup.promise },
    room,
    bus: createLoneBus(room),
    pusher: {
      send: async () => {
        pushes += 1;
        return { kind: 'accepted', reason: 'Accepted' } as const;
      },
    },
    plan: {
      resendMs: 30_000,
      maxAttempts: 1,
      responseApiFor: () => 'https://example.com/api/call-response/',
    },
    events,
  };
  const ask = (askedAt: number): CallAsk => ({
    askedAt,
    account: ACCOUNT,
    callId: 'one-call',
    phoneNumber: '0201234567',
    callerId: '',
  });
  return {
    room,
    turnedAway,
    repeated,
    pushes: () => pushes,
    found: () => lookup.resolve(makeDevice({ account: ACCOUNT })),
    take: (caller: Caller, askedAt = monotonic()) => takeCall(parts, ask(askedAt), caller),
  };
}

function caller(gone = false): Caller {
  return { gone, onGone: undefined };
}

describe('what happens while a call is begun', () => {
  it('a PBX that left while its device was looked up: nothing is pushed', async () => {
    const { take, found, room, pushes } = story();
    const pbx = caller();
    const taken = take(pbx);
    pbx.gone = true;
    found();
    assert.equal((await taken).ending.outcome, 'caller-gone');
    assert.equal(room.size, 0);
    assert.equal(pushes(), 0);
  });

  it('two requests that both look the device up at once push it once and share the answer', async () => {
    const { take, found, room, pushes, repeated } = story();
    const both = [take(caller()), take(caller())];
    found();
    await new Promise(setImmediate);
    assert.equal(room.size, 1);
    assert.equal(pushes(), 1);
    assert.equal(room.answer('one-call', true), 'taken');
    for (const { ending } of await Promise.all(both)) assert.equal(ending.outcome, 'ready');
    assert.equal(room.size, 0);
    assert.deepEqual(repeated, [{ account: ACCOUNT, callId: 'one-call', found: 'waiting' }]);
  });

  it('a repeated request whose PBX has left already does not keep the call waiting', async () => {
    const { take, found, room } = story();
    found();
    const first = caller();
    const calls = [take(first)];
    while (room.size === 0) await new Promise(setImmediate);
    calls.push(take(caller(true)));
    first.gone = true;
    first.onGone?.();
    assert.equal(room.size, 0, 'nobody waits any more');
    for (const { ending } of await Promise.all(calls)) assert.equal(ending.outcome, 'caller-gone');
  });

  it('a service that stopped while the device was looked up: the PBX has its NAK at once', async () => {
    const { take, found, room, pushes, turnedAway } = story();
    const taken = take(caller());
    room.close();
    found();
    const { ending } = await taken;
    assert.equal(ending.outcome, 'shutting-down');
    assert.deepEqual(turnedAway, ['shutting-down']);
    assert.equal(room.size, 0);
    assert.equal(pushes(), 0);
  });
});

describe('how long a call has taken', () => {
  const AGO_MS = 5_000;

  it('is counted from the request of the PBX, for the push and for the answer', async () => {
    const { take, found, room, pushes } = story();
    found();
    const taken = take(caller(), monotonic() - AGO_MS);
    while (pushes() === 0) await new Promise(setImmediate);
    await new Promise(setImmediate);
    const answeredFrom = monotonic();
    room.answer('one-call', true);
    const { answeredAt = 0, pushAcceptedAfterMs = 0, answeredAfterMs = 0 } = await taken;
    assert.ok(answeredAt >= answeredFrom && answeredAt <= monotonic());
    assert.ok(pushAcceptedAfterMs >= AGO_MS && pushAcceptedAfterMs < 25_000, `${pushAcceptedAfterMs}`);
    assert.ok(answeredAfterMs >= pushAcceptedAfterMs && answeredAfterMs < 25_000, `${answeredAfterMs}`);
  });

  it('is not said of what did not happen', async () => {
    const { take, found, room, repeated } = story();
    found();
    const pbx = caller();
    const left = take(pbx);
    while (room.size === 0) await new Promise(setImmediate);
    pbx.onGone?.();
    const { answeredAt, answeredAfterMs } = await left;
    assert.deepEqual([answeredAt, answeredAfterMs], [undefined, undefined]);
    const first = take(caller());
    while (room.size === 0) await new Promise(setImmediate);
    room.answer('one-call', false);
    await first;
    assert.deepEqual(await take(caller()), {
      ending: { outcome: 'declined', reason: null },
      uniqueKey: undefined,
      answeredAt: undefined,
      pushAcceptedAfterMs: undefined,
      answeredAfterMs: undefined,
    });
    assert.deepEqual(repeated, [{ account: ACCOUNT, callId: 'one-call', found: 'answered' }]);
  });
});
