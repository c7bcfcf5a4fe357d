import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { PendingRequest } from '../../src/http2/channel-pending.ts';
import type { ChannelReply } from '../../src/http2/channel-types.ts';
import { WaitingRequests } from '../../src/http2/channel-waiting.ts';

/** A request with its name as its path, and what it got. */
function request(name: string) {
  const replies: ChannelReply[] = [];
  const wanted = { headers: {}, body: '', recipient: 'r', deadline: 0, wanted: () => true };
  const pending = new PendingRequest({ path: name, ...wanted }, (reply) => replies.push(reply));
  return { pending, replies };
}

describe('requests that wait for a connection', () => {
  it('go in their order, after those that were sent before; alone ones go by themselves', () => {
    const waiting = new WaitingRequests();
    waiting.push(request('new 1').pending, 1);
    waiting.push(request('new 2').pending, 2);
    assert.equal(waiting.wantsAlone, false);
    assert.equal(waiting.pushAlone(request('alone').pending, 3), true);
    waiting.pushReplay(request('again').pending, 4);
    assert.deepEqual([waiting.size, waiting.shared, waiting.fresh, waiting.wantsAlone], [4, 3, 2, true]);
    const paths = [1, 2, 3, 4].map(() => waiting.shift()?.request.path);
    assert.deepEqual(paths, ['again', 'new 1', 'new 2', undefined]);
    assert.equal(waiting.shiftAlone()?.request.path, 'alone');
    assert.equal(waiting.size, 0);
  });

  it('have waited since the first of them came, in whichever way', () => {
    const waiting = new WaitingRequests();
    assert.equal(waiting.since, undefined);
    waiting.pushAlone(request('alone').pending, 7);
    assert.equal(waiting.since, 7);
    waiting.push(request('new').pending, 5);
    assert.equal(waiting.since, 5);
    waiting.pushReplay(request('again').pending, 6);
    assert.equal(waiting.since, 5);
    waiting.shift();
    waiting.shift();
    assert.equal(waiting.since, 7);
  });

  it('to be sent alone are 32 at most', () => {
    const waiting = new WaitingRequests();
    const taken = Array.from({ length: 33 }, () => waiting.pushAlone(request('alone').pending, 1));
    assert.equal(taken.indexOf(false), 32);
    assert.equal(waiting.size, 32);
  });

  it('leave from the middle when they are settled, and are settled once', () => {
    const waiting = new WaitingRequests();
    const [first, second, third] = [request('1'), request('2'), request('3')];
    for (const { pending } of [first, second, third]) waiting.push(pending, 1);
    second.pending.fail('timeout');
    second.pending.fail('unreachable');
    assert.deepEqual(second.replies, [{ kind: 'failed', reason: 'timeout' }]);
    assert.equal(second.pending.answered, false);
    first.pending.settle({ kind: 'answered', status: 200, headers: {}, body: '' });
    assert.equal(first.pending.answered, true);
    assert.equal(waiting.size, 1);
    assert.equal(waiting.shift(), third.pending);
    assert.equal(waiting.shift(), undefined);
  });

  it('fail together, those that came by a given time', () => {
    const waiting = new WaitingRequests();
    const [old, again, alone, late] = [request('old'), request('again'), request('alone'), request('late')];
    waiting.push(old.pending, 1);
    waiting.pushReplay(again.pending, 2);
    waiting.pushAlone(alone.pending, 2);
    waiting.push(late.pending, 3);
    const reply = { kind: 'failed', reason: 'connection-refused' } as const;
    waiting.fail(reply, 2);
    for (const { replies } of [old, again, alone]) assert.deepEqual(replies, [reply]);
    assert.deepEqual([late.replies, waiting.size], [[], 1]);
    waiting.fail(reply);
    assert.deepEqual([late.replies, waiting.size], [[reply], 0]);
  });
});
