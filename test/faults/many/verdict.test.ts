import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { AppAnswer, Ask, CallRecord } from './call-record.ts';
import { judge, type Verdict } from './verdict.ts';

const WAIT_MS = 8_000;

function ask(outcome: string | undefined, times: Partial<Ask> = {}): Ask {
  return {
    instance: 0,
    at: 1_000,
    endedAt: 4_000,
    answer:
      outcome === undefined
        ? undefined
        : { status: 200, word: outcome === 'ready' ? 'status=ACK' : 'status=NAK', outcome },
    ...times,
  };
}

function said(available: boolean, times: Partial<AppAnswer> = {}): AppAnswer {
  return {
    available,
    at: 3_900,
    endedAt: 3_990,
    status: 202,
    tries: 1,
    ...times,
  };
}

function call(asks: readonly (readonly Ask[])[], answers: readonly AppAnswer[]): CallRecord {
  return {
    callId: 'call',
    account: 300_000_000,
    kind: 'android',
    available: true,
    habit: 'once',
    wakeUpMs: 2_000,
    askedAt: 1_000,
    legs: asks.map((leg) => ({ asks: [...leg], done: true })),
    pushes: [1_010],
    answers: [...answers],
  };
}

function judged(record: CallRecord): Verdict {
  return judge([record], WAIT_MS);
}

function counts({ lost, twice, late, unexpected }: Verdict) {
  return {
    lost: lost.length,
    twice: twice.length,
    late: late.length,
    unexpected: unexpected.length,
  };
}

const FINE = { lost: 0, twice: 0, late: 0, unexpected: 0 };

describe('how the suite judges a call', () => {
  it('ACK after the app said that it is ready is as it must be', () => {
    assert.deepEqual(counts(judged(call([[ask('ready')]], [said(true)]))), FINE);
  });

  it('no HTTP answer is lost, unless the next instance gave one', () => {
    assert.equal(judged(call([[ask(undefined)]], [])).lost.length, 1);
    assert.equal(judged(call([[ask(undefined), ask(undefined)]], [])).lost.length, 1);
    const again = judged(call([[ask(undefined), ask('ready')]], [said(true)]));
    assert.deepEqual(counts(again), FINE);
    assert.equal(again.askedAgain, 1);
  });

  it('NAK after an answer was taken is lost', () => {
    assert.equal(judged(call([[ask('timed-out')]], [said(true)])).lost.length, 1);
    assert.equal(judged(call([[ask('ready')], [ask('timed-out')]], [said(true)])).lost.length, 1);
  });

  it('NAK is not lost where the answer was refused, or came after the PBX had heard', () => {
    assert.equal(judged(call([[ask('timed-out')]], [said(true, { status: 404 })])).lost.length, 0);
    assert.equal(judged(call([[ask('timed-out')]], [said(true, { at: 4_001 })])).lost.length, 0);
  });

  it('two PBXs that hear opposite words were answered twice', () => {
    const record = call([[ask('ready')], [ask('declined')]], [said(true), said(false)]);
    assert.equal(judged(record).twice.length, 1);
  });

  it('ACK is answered twice where declined was taken first, or nobody said ready', () => {
    const second = said(true, { at: 3_995, endedAt: 3_999 });
    assert.equal(judged(call([[ask('ready')]], [said(false), second])).twice.length, 1);
    assert.equal(judged(call([[ask('ready')]], [])).twice.length, 1);
  });

  it('what an app said at the same moment may be heard either way', () => {
    const both = (outcome: string) => ({
      ...call([[ask(outcome)]], [said(true), said(false)]),
      habit: 'says-both' as const,
    });
    assert.deepEqual(counts(judged(both('ready'))), FINE);
    assert.deepEqual(counts(judged(both('declined'))), FINE);
  });

  it('half a second past the wait is late, counted from the last request', () => {
    const late = { endedAt: 1_000 + WAIT_MS + 501 };
    assert.equal(judged(call([[ask('timed-out', late)]], [])).late.length, 1);
    const again = [ask(undefined), ask('ready', { at: 2_000, ...late })];
    assert.equal(judged(call([again], [])).late.length, 0);
  });

  it('another outcome than the phone said is unexpected unless the fault allows it', () => {
    const record = call([[ask('storage-unavailable')]], []);
    assert.equal(judged(record).unexpected.length, 1);
    assert.equal(judge([record], WAIT_MS, { allowance: () => ['storage-unavailable'] }).unexpected.length, 0);
  });

  it('an answer other than 200 is unexpected, but for an instance that shuts down', () => {
    const failed = { status: 500, word: 'status=NAK', outcome: '' };
    assert.equal(judged(call([[ask('', { answer: failed })]], [])).unexpected.length, 1);
  });

  it('calls are counted by what their first PBX heard', () => {
    const { asked, acks, naks } = judge(
      [call([[ask('ready')]], [said(true)]), call([[ask('declined')]], []), call([[ask('declined')]], [])],
      WAIT_MS,
    );
    assert.deepEqual([asked, acks, [...naks]], [3, 1, [['declined', 2]]]);
  });
});
