import type { CallOutcome } from '../../../src/calls/call-outcome.ts';
import type { AppAnswer, Ask, CallRecord, Leg } from './call-record.ts';

/**
 * Beyond the wait: what a request and its answer may take on a machine that runs PBXs, phones, push services, the
 * servers and the service at once, milliseconds.
 */
export const TOLERANCE_MS = 500;

/** What is wrong with one call, in words that tell where to look; undefined: nothing. */
type Finding = string | undefined;

/** What a call's outside saw, judged. The definitions stand in docs/faults.md. */
export interface Verdict {
  readonly asked: number;
  readonly acks: number;
  readonly naks: ReadonlyMap<string, number>;
  /** Requests that had to be made again at another instance. */
  readonly askedAgain: number;
  /** Answers of apps that their load balancer carried on to another instance. */
  readonly carriedOn: number;
  readonly lost: readonly string[];
  readonly twice: readonly string[];
  readonly late: readonly string[];
  /** Calls that ended as neither their phone said nor the fault allows. */
  readonly unexpected: readonly string[];
  /** How many of those timed out, as on a machine that is too slow. */
  readonly timedOut: number;
}

/** How a request may end beside what its phone says: what the fault makes unavoidable. */
export type Allowance = (call: CallRecord, ask: Ask) => readonly CallOutcome[];

/** What a fault makes unavoidable. */
export interface Excuses {
  readonly allowance?: Allowance;
  /** Calls whose PBXs wait at several instances that cannot know of each other: one of them may time out. */
  readonly apart?: (call: CallRecord) => boolean;
  /** Calls whose app said two things to instances that could not ask Redis which came first: either may be heard. */
  readonly contested?: (call: CallRecord) => boolean;
}

function heardOf(leg: Leg): Ask | undefined {
  return leg.asks.at(-1);
}

function outcomeOf(ask: Ask | undefined): string {
  return ask?.answer === undefined ? 'no HTTP answer' : ask.answer.outcome || `HTTP ${ask.answer.status}`;
}

/** The answers that were taken in time, less those that were given after another had been taken. */
function firstWords(call: CallRecord): readonly AppAnswer[] {
  const taken = call.answers.filter(({ status }) => status === 202);
  return taken.filter((answer) => !taken.some((other) => other.endedAt <= answer.at));
}

/** The answers of which a PBX must hear one. */
function wordsFor(call: CallRecord, { contested }: Excuses): readonly AppAnswer[] {
  return contested?.(call) === true ? call.answers.filter(({ status }) => status === 202) : firstWords(call);
}

function wordOf({ available }: Pick<AppAnswer, 'available'>): CallOutcome {
  return available ? 'ready' : 'declined';
}

function findLost(call: CallRecord, excuses: Excuses): Finding {
  if (call.legs.some((leg) => heardOf(leg)?.answer === undefined)) return 'a PBX got no HTTP answer';
  const words = wordsFor(call, excuses);
  if (words.length === 0 || excuses.apart?.(call) === true) return undefined;
  const takenFrom = Math.min(...words.map(({ at }) => at));
  const deaf = call.legs
    .map(heardOf)
    .find(
      (ask) =>
        ask !== undefined &&
        ask.endedAt > takenFrom &&
        ask.answer?.word !== 'status=ACK' &&
        !words.some((word) => wordOf(word) === ask.answer?.outcome),
    );
  return deaf === undefined ? undefined : `its answer was taken, a PBX heard ${outcomeOf(deaf)}`;
}

function findTwice(call: CallRecord, excuses: Excuses): Finding {
  if (excuses.apart?.(call) === true) return undefined;
  const heard = new Set(call.legs.map((leg) => outcomeOf(heardOf(leg))));
  if (heard.has('ready') && heard.has('declined')) return 'its PBXs heard ready and declined';
  if (!heard.has('ready')) return undefined;
  if (!call.answers.some(({ available }) => available)) return 'a PBX heard ACK, and no app said so';
  const words = wordsFor(call, excuses);
  return words.length > 0 && words.every(({ available }) => !available)
    ? 'a PBX heard ACK after declined was taken first'
    : undefined;
}

function findLate(call: CallRecord, waitMs: number): Finding {
  const late = call.legs
    .flatMap(({ asks }) => asks.slice(-1))
    .find(({ at, endedAt }) => endedAt - at > waitMs + TOLERANCE_MS);
  return late && `a PBX waited ${Math.round(late.endedAt - late.at)} ms`;
}

function expectedOf(call: CallRecord, { contested }: Excuses): readonly CallOutcome[] {
  return call.habit === 'says-both' || contested?.(call) === true ? ['ready', 'declined'] : [wordOf(call)];
}

function findUnexpected(call: CallRecord, excuses: Excuses): Ask | undefined {
  const { allowance, apart } = excuses;
  const alone: readonly CallOutcome[] = apart?.(call) === true ? ['timed-out'] : [];
  return call.legs.map(heardOf).find((ask) => {
    if (ask?.answer === undefined) return false;
    const may: readonly string[] = [
      ...expectedOf(call, excuses),
      ...alone,
      ...(allowance?.(call, ask) ?? []),
    ];
    const { word, outcome, status } = ask.answer;
    const fits = word === (outcome === 'ready' ? 'status=ACK' : 'status=NAK');
    return !fits || !may.includes(outcome) || (status !== 200 && outcome !== 'shutting-down');
  });
}

/** What a reader needs to find out why: when, on which phone, and every step. */
function describe(call: CallRecord, finding: string): string {
  const since = (time: number) => Math.round(time - call.askedAt);
  const asks = call.legs.map(({ asks: all }) =>
    all
      .map((ask) => `asked ${ask.instance} at ${since(ask.at)}: ${outcomeOf(ask)} at ${since(ask.endedAt)}`)
      .join(', then '),
  );
  const answers = call.answers.map(
    ({ available, at, endedAt, status, tries }) =>
      `said ${available ? 'ready' : 'declined'} at ${since(at)}: ${status} at ${since(endedAt)}, try ${tries}`,
  );
  const pushes = call.pushes.map(since).join(' ');
  return `${call.callId} (${call.kind}, ${call.habit}): ${finding}; ${asks.join('; ')}; pushed at ${pushes}; ${answers.join('; ')}`;
}

/** Judges calls that have all ended. */
export function judge(calls: readonly CallRecord[], waitMs: number, excuses: Excuses = {}): Verdict {
  const find = (look: (call: CallRecord) => Finding): readonly string[] =>
    calls.flatMap((call) => {
      const finding = look(call);
      return finding === undefined ? [] : [describe(call, finding)];
    });
  const naks = new Map<string, number>();
  let acks = 0;
  for (const { legs } of calls) {
    const answer = legs[0] && heardOf(legs[0])?.answer;
    if (answer === undefined) continue;
    if (answer.word === 'status=ACK') acks += 1;
    else naks.set(answer.outcome, (naks.get(answer.outcome) ?? 0) + 1);
  }
  const unexpected = calls.flatMap((call) => {
    const ask = findUnexpected(call, excuses);
    return ask === undefined ? [] : [{ call, ask }];
  });
  return {
    asked: calls.length,
    acks,
    naks,
    askedAgain: calls.flatMap(({ legs }) => legs).filter(({ asks }) => asks.length > 1).length,
    carriedOn: calls.flatMap(({ answers }) => answers).filter(({ tries }) => tries > 1).length,
    lost: find((call) => findLost(call, excuses)),
    twice: find((call) => findTwice(call, excuses)),
    late: find((call) => findLate(call, waitMs)),
    unexpected: unexpected.map(({ call, ask }) =>
      describe(call, `${outcomeOf(ask)} after ${Math.round(ask.endedAt - ask.at)} ms`),
    ),
    timedOut: unexpected.filter(({ ask }) => outcomeOf(ask) === 'timed-out').length,
  };
}
