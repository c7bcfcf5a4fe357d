import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { describe, it, type TestContext } from 'node:test';
import type { Platform } from '../../src/apps/platform.ts';
import type { Call } from '../../src/calls/call.ts';
import { WaitingRoom } from '../../src/calls/waiting-room.ts';
import { makeDevice } from '../push/helpers/provider-fixture.ts';

const WAIT_MS = 4_000;
const REMEMBERED_MS = 300_000;

function scene(
  t: TestContext,
  more: { readonly newKey?: () => string; readonly answersToCallIds?: boolean } = {},
) {
  const clock = { now: 1_000 };
  t.mock.method(performance, 'now', () => clock.now);
  const room = new WaitingRoom({ maxWaiting: 10, waitMs: WAIT_MS, ...more });
  const enter = (account: number, callId?: string, platform: Platform = 'android'): Call => {
    const ask = { askedAt: clock.now, account, callId, phoneNumber: '1', callerId: '' };
    const entry = room.enter(ask, makeDevice({ account, platform }));
    assert.ok(entry.kind === 'entered');
    room.callerCame(entry.call);
    return entry.call;
  };
  return { clock, room, enter };
}

describe('what is remembered of a call that its app answered', () => {
  for (const [available, outcome] of [
    [true, 'ready'],
    [false, 'declined'],
  ] as const) {
    it(`within its time a second answer is a duplicate and a repeat is answered, then neither (${outcome})`, (t) => {
      const { clock, room, enter } = scene(t);
      enter(1, 'name');
      assert.equal(room.answer('name', available), 'taken');
      clock.now += WAIT_MS;
      assert.equal(room.answer('name', !available), 'duplicate');
      assert.deepEqual(room.findRepeat('name', 1), {
        kind: 'answered',
        ending: { outcome, reason: null },
      });
      clock.now += 1;
      assert.equal(room.answer('name', available), 'late');
      assert.equal(room.findRepeat('name', 1), undefined);
      clock.now += REMEMBERED_MS - WAIT_MS - 1;
      assert.equal(room.answer('name', available), 'late');
      assert.equal(room.endingOf('name')?.outcome, outcome);
      clock.now += 1;
      assert.equal(room.answer('name', available), 'unknown');
      assert.equal(room.endingOf('name'), undefined);
    });
  }

  it('is for its own account, also where two share a name', (t) => {
    const { room, enter } = scene(t);
    const [first, second] = [enter(1, 'name'), enter(2, 'name')];
    assert.equal(first.uniqueKey, 'name');
    assert.notEqual(second.uniqueKey, 'name');
    assert.equal(room.answer(second.uniqueKey, false), 'taken');
    assert.equal(room.findRepeat('name', 2)?.kind, 'answered');
    assert.deepEqual(room.findRepeat('name', 1), { kind: 'waiting', call: first });
    assert.equal(room.answer('name', true), 'taken');
    const repeat = room.findRepeat('name', 1);
    assert.ok(repeat?.kind === 'answered');
    assert.equal(repeat.ending.outcome, 'ready');
    assert.equal(room.findRepeat('name', 3), undefined);
  });

  it('is found by the key of its push and by its name, where either is good', (t) => {
    const { room, enter } = scene(t);
    const { uniqueKey } = enter(1, 'no UUID', 'apns');
    assert.match(uniqueKey, /^[0-9a-f]{32}$/);
    assert.equal(room.answer('no UUID', true), 'taken');
    assert.equal(room.answer(uniqueKey, true), 'duplicate');
    assert.equal(room.answer('no UUID', true), 'duplicate');
    assert.equal(room.findRepeat('no UUID', 1)?.kind, 'answered');
  });

  it('is no answer to its name where a push has to prove itself, but for the PBX that asks again', (t) => {
    const { room, enter } = scene(t, { newKey: randomUUID, answersToCallIds: false });
    const callId = randomUUID();
    const { uniqueKey } = enter(1, callId);
    assert.notEqual(uniqueKey, callId);
    assert.equal(room.answer(callId, true), 'unknown');
    assert.equal(room.answer(uniqueKey, true), 'taken');
    assert.equal(room.answer(callId, true), 'unknown');
    assert.equal(room.findRepeat(callId, 1)?.kind, 'answered');
    assert.equal(room.findRepeat(callId, 2), undefined);
  });
});

describe('what is remembered of a call that ended otherwise', () => {
  it('an answer to it is late, and a repeat is a new call', (t) => {
    const { room, enter } = scene(t);
    enter(1, 'name').settle('timed-out');
    assert.equal(room.answer('name', true), 'late');
    assert.equal(room.findRepeat('name', 1), undefined);
    assert.equal(enter(1, 'name').uniqueKey, 'name', 'for the same account under the same key');
  });

  it('a repeat is a new call, also where a push has to prove itself', (t) => {
    const { room, enter } = scene(t, { newKey: randomUUID, answersToCallIds: false });
    for (const outcome of ['cancelled', 'timed-out'] as const) {
      enter(1, 'name').settle(outcome);
      assert.equal(room.findRepeat('name', 1), undefined);
    }
  });

  it('its name is no key of the next account, while it is remembered', (t) => {
    const { clock, room, enter } = scene(t);
    enter(1, 'name').settle('timed-out');
    const next = enter(2, 'name');
    assert.notEqual(next.uniqueKey, 'name');
    assert.ok(!next.answersToCallId);
    assert.equal(room.answer('name', true), 'late', 'not the word of the next account');
    next.settle('timed-out');
    clock.now += REMEMBERED_MS + 1;
    assert.equal(enter(3, 'name').uniqueKey, 'name');
  });
});

describe('how many wait', () => {
  it('each request of a call counts, until it leaves or the call ends', (t) => {
    const { room, enter } = scene(t);
    const call = enter(1, 'name');
    room.callerCame(call);
    assert.deepEqual([room.size, room.requests], [1, 2]);
    room.callerLeft(call);
    assert.deepEqual([room.size, room.requests], [1, 1]);
    const other = enter(2);
    call.settle('ready');
    assert.deepEqual([room.size, room.requests], [1, 1]);
    room.callerLeft(call);
    room.callerCame(call);
    assert.deepEqual(
      [room.size, room.requests],
      [1, 1],
      'whoever comes or goes when it is over changes nothing',
    );
    room.callerLeft(other);
    assert.equal(other.ending?.outcome, 'caller-gone');
    assert.deepEqual([room.size, room.requests], [0, 0]);
  });

  it('a full room takes no call and no further request, and a closed one says so', (t) => {
    const { room, enter } = scene(t);
    const calls = Array.from({ length: 9 }, (_, account) => enter(account));
    const [first] = calls;
    assert.ok(first);
    const ask = { askedAt: 1_000, account: 99, callId: undefined, phoneNumber: '1', callerId: '' };
    assert.equal(room.refusalToJoin(first), undefined);
    room.callerCame(first);
    assert.equal(room.refusalToJoin(first), 'MAX_WAITING_CALLS');
    assert.deepEqual(room.enter(ask, makeDevice()), { kind: 'refused', outcome: 'overloaded' });
    room.callerLeft(first);
    assert.equal(room.enter(ask, makeDevice()).kind, 'entered');
    room.close();
    assert.deepEqual(room.enter(ask, makeDevice()), { kind: 'refused', outcome: 'shutting-down' });
  });

  it('a cancel ends every account of a name and no other call', (t) => {
    const { room, enter } = scene(t);
    const calls = [enter(1, 'name'), enter(2, 'name'), enter(3, 'name'), enter(4, 'other')];
    calls[1]?.settle('declined');
    assert.equal(room.cancel('name', 'hung up'), 2);
    assert.deepEqual(
      calls.map(({ ending }) => ending?.outcome),
      ['cancelled', 'declined', 'cancelled', undefined],
    );
    assert.equal(calls[0]?.ending?.reason, 'hung up');
    assert.equal(room.cancel('name', null), 0);
    assert.equal(room.cancel('nobody asked', null), 0);
    room.close();
    assert.equal(calls[3]?.ending?.outcome, 'shutting-down');
  });

  it('a call that gets another key is found by that alone, and one that is over keeps its own', (t) => {
    const { room, enter } = scene(t);
    const call = enter(1, 'name');
    room.rekey(call, 'another', false);
    assert.equal(room.find('name'), undefined);
    assert.equal(room.find('another'), call);
    room.rekey(call, 'third', true);
    assert.equal(room.find('another'), undefined);
    assert.equal(room.find('name'), call);
    assert.equal(room.find('third'), call);
    call.settle('ready');
    room.rekey(call, 'fourth', true);
    assert.equal(room.find('fourth'), undefined);
    assert.equal(call.uniqueKey, 'third');
  });

  it('how often calls came and went is counted, so that what was found before is looked for again', (t) => {
    const { room, enter } = scene(t);
    const seen = [room.changes];
    const call = enter(1, 'name');
    seen.push(room.changes);
    call.settle('ready');
    seen.push(room.changes);
    assert.equal(new Set(seen).size, 3);
  });
});
