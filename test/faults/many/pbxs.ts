import { randomUUID } from 'node:crypto';
import { monotonic } from '../../../src/lib/monotonic.ts';
import { askPbx } from '../../../src/sandbox/pbx.ts';
import type { AppHabit, Ask, CallRecord, Leg } from './call-record.ts';
import type { Ledger, Subscriber } from './ledger.ts';
import { type Lines, lineAt } from './lines.ts';

/** A telephone company's PBXs: they ask at a steady rate, whatever becomes of the calls asked before. */
export interface Pbxs {
  /** Asks so many calls a second from now on; 0 stops. */
  callAtRate(perSecond: number): void;
  /** Asks so many calls at this moment; resolves when each PBX has heard. */
  callAtOnce(count: number): Promise<readonly CallRecord[]>;
  /** Calls whose PBXs have not all heard yet. */
  waiting(): number;
}

const TICK_MS = 10;
/** Beyond the wait: how long a PBX stays on the line before it gives up. */
const PATIENCE_MS = 20_000;
/** Of the calls, how many are asked for by a second PBX as well, declined, and answered twice by their app. */
const SHARES = { secondLeg: 0.05, declined: 0.05, changesItsMind: 0.05, saysBoth: 0.05 } as const;
const SECOND_LEG_MS = 200;

/** Times of the phones, milliseconds from the push to the answer. */
export interface WakeUpTimes {
  readonly least: number;
  readonly most: number;
}

/**
 * Makes the PBXs. Each asks the next instance in turn; where it gets no HTTP answer, or 503, it asks once more, at the
 * next instance with the same call_id. `joins`: instances know each other's calls, so some calls are asked
 * for by a second PBX, at another instance.
 */
export function createPbxs(options: {
  readonly subscribers: readonly Subscriber[];
  readonly ledger: Ledger;
  readonly lines: Lines;
  readonly joins: boolean;
  readonly waitMs: number;
  readonly wakeUp: () => WakeUpTimes;
  readonly random: () => number;
}): Pbxs {
  const { subscribers, ledger, random } = options;
  const lines = options.lines.all;
  let nextLine = 0;
  let nextCall = 0;
  let waiting = 0;
  let timer: NodeJS.Timeout | undefined;

  const ask = async (call: CallRecord, line: number): Promise<Ask> => {
    const { url, agent } = lineAt(lines, line);
    const at = monotonic();
    const ended = (answer: Ask['answer']): Ask => ({
      instance: line % lines.length,
      at,
      endedAt: monotonic(),
      answer,
    });
    const { account, callId } = call;
    const timeoutMs = options.waitMs + PATIENCE_MS;
    return askPbx({ url, agent, account, callId, phoneNumber: '0201234567', timeoutMs }).then(
      ({ status, body, outcome = '' }) => ended({ status, word: body, outcome }),
      () => ended(undefined),
    );
  };

  const follow = async (call: CallRecord, line: number): Promise<void> => {
    const leg: Leg = { asks: [], done: false };
    call.legs.push(leg);
    const first = await ask(call, line);
    leg.asks.push(first);
    if (first.answer === undefined || first.answer.status === 503) leg.asks.push(await ask(call, line + 1));
    leg.done = true;
  };

  const place = async (): Promise<CallRecord> => {
    const call = makeCall(subscribers, nextCall, options.wakeUp(), random);
    nextCall += 1;
    ledger.add(call);
    const line = nextLine;
    nextLine += 1;
    waiting += 1;
    const legs = [follow(call, line)];
    if (options.joins && random() < SHARES.secondLeg) {
      await new Promise((resolve) => setTimeout(resolve, SECOND_LEG_MS));
      legs.push(follow(call, line + 1));
    }
    await Promise.all(legs);
    waiting -= 1;
    return call;
  };

  return {
    callAtRate: (perSecond) => {
      clearInterval(timer);
      timer = undefined;
      if (perSecond === 0) return;
      const since = monotonic();
      let placed = 0;
      timer = setInterval(() => {
        const due = Math.floor(((monotonic() - since) * perSecond) / 1000);
        for (; placed < due; placed += 1) void place();
      }, TICK_MS);
    },
    callAtOnce: (count) => Promise.all(Array.from({ length: count }, place)),
    waiting: () => waiting,
  };
}

function makeCall(
  subscribers: readonly Subscriber[],
  number: number,
  { least, most }: WakeUpTimes,
  random: () => number,
): CallRecord {
  const subscriber = subscribers[number % subscribers.length];
  if (subscriber === undefined) throw new RangeError('there are no subscribers');
  // Half of the calls carry an id as Asterisk makes them, which iOS cannot take as its own.
  const callId = random() < 0.5 ? randomUUID() : `${Math.floor(Date.now() / 1000)}.${number}`;
  return {
    callId,
    account: subscriber.account,
    kind: subscriber.kind,
    available: random() >= SHARES.declined,
    habit: pickHabit(random()),
    wakeUpMs: least + random() * (most - least),
    askedAt: monotonic(),
    legs: [],
    pushes: [],
    answers: [],
  };
}

function pickHabit(chance: number): AppHabit {
  if (chance < SHARES.changesItsMind) return 'changes-its-mind';
  return chance < SHARES.changesItsMind + SHARES.saysBoth ? 'says-both' : 'once';
}
