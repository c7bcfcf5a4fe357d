import { createRandom } from '../../harness/random.ts';
import { startWorld } from '../../src/sandbox/world.ts';
import { now } from '../lib/clock.ts';
import { answerParent } from '../lib/helper-process.ts';
import { callIdOf, callOf, followSchedule } from '../load/calls.ts';
import { Connections } from '../load/connections.ts';
import { type PushPayload, STREAMS, startPushServer } from './push-server.ts';

/** What a service needs to know to push to these phones. */
export interface PhoneWorld {
  /** PEM of the authority that signed the push services' certificates. */
  readonly ca: string;
  /** APNS_URL, APNS_SANDBOX_URL and FCM_URL. */
  readonly settings: Readonly<Record<string, string>>;
  readonly teamKey: { readonly teamId: string; readonly keyId: string; readonly privateKey: string };
  readonly serviceAccount: string;
}

/** How the phones behave that are called in a batch of calls. */
export interface PhonePlan {
  readonly run: string;
  readonly firstCall: number;
  readonly calls: number;
  /** Milliseconds from the push to the app's answer; undefined: they never wake. */
  readonly wakeMs: number | undefined;
  /** Where answers go, one picked by chance, as behind a load balancer; empty: where the push says. */
  readonly origins: readonly string[];
  /** The share of answers over a connection of their own. */
  readonly freshShare: number;
  readonly seed: number;
  /**
   * Moments of `now` at which the PBX asks: each phone answers `wakeMs` after its call's whether it was pushed or not.
   * For a service that does not push to these phones.
   */
  readonly byClock?: Float64Array;
}

/** What the phones of a batch have seen, each call at its place; moments are of `now`, NaN for what did not happen. */
export interface PhoneTimes {
  readonly pushed: Float64Array;
  /** When the app was to answer, and when it did. */
  readonly due: Float64Array;
  readonly answered: Float64Array;
  /** HTTP status of what the app was told; 0 where it was told nothing. */
  readonly statuses: Uint16Array;
  /** Pushes of all, repeated ones included. */
  readonly pushes: number;
}

interface Batch {
  readonly plan: PhonePlan;
  readonly times: PhoneTimes & { pushes: number };
  readonly random: () => number;
}

const connections = new Connections();
const batches = new Set<Batch>();

function batchOf(call: number): Batch | undefined {
  for (const batch of batches) {
    const { firstCall, calls } = batch.plan;
    if (call >= firstCall && call < firstCall + calls) return batch;
  }
  return undefined;
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** The answer of the current apps: iOS in JSON, Android as a form. */
function bodyOf(uniqueKey: string, startTime: unknown) {
  return typeof startTime === 'number'
    ? {
        contentType: 'application/json',
        body: JSON.stringify({ unique_key: uniqueKey, available: 'true', message_start_time: startTime }),
      }
    : {
        contentType: 'application/x-www-form-urlencoded',
        body: `unique_key=${uniqueKey}&available=true&message_start_time=${text(startTime)}`,
      };
}

function answer(batch: Batch, call: number, due: number, uniqueKey: string, push: PushPayload): void {
  const { plan, times } = batch;
  const responseApi = text(push['response_api']);
  const pushedFrom = responseApi === '' ? undefined : new URL(responseApi);
  const origin =
    plan.origins.length === 0
      ? pushedFrom?.origin
      : plan.origins[Math.floor(batch.random() * plan.origins.length)];
  const index = call - plan.firstCall;
  times.due[index] = due;
  times.answered[index] = now();
  connections.post(
    {
      origin: origin ?? '',
      path: pushedFrom === undefined ? '/api/call-response/' : pushedFrom.pathname + pushedFrom.search,
      ...bodyOf(uniqueKey, push['message_start_time']),
      fresh: batch.random() < plan.freshShare,
    },
    (status) => {
      times.statuses[index] = status;
    },
  );
}

function onPush(push: PushPayload, arrivedAt: number): void {
  const uniqueKey = text(push['unique_key']);
  const call = callOf(uniqueKey);
  const batch = batchOf(call);
  // After its batch was ended, or of the scenario that has no calls.
  if (batch === undefined) return;
  const { plan, times } = batch;
  const index = call - plan.firstCall;
  times.pushes += 1;
  if (!Number.isNaN(times.pushed[index])) return;
  times.pushed[index] = arrivedAt;
  if (plan.wakeMs === undefined || plan.byClock !== undefined) return;
  const due = arrivedAt + plan.wakeMs;
  setTimeout(() => answer(batch, call, due, uniqueKey, push), plan.wakeMs);
}

function begin(plan: PhonePlan): void {
  const { calls, byClock, wakeMs = 0 } = plan;
  const times = {
    pushed: new Float64Array(calls).fill(Number.NaN),
    due: new Float64Array(calls).fill(Number.NaN),
    answered: new Float64Array(calls).fill(Number.NaN),
    statuses: new Uint16Array(calls),
    pushes: 0,
  };
  const batch: Batch = { plan, times, random: createRandom(plan.seed) };
  batches.add(batch);
  if (byClock === undefined) return;
  const due = byClock.map((asked) => asked + wakeMs);
  void followSchedule(due, (index) => {
    const call = plan.firstCall + index;
    answer(batch, call, due[index] ?? 0, callIdOf(plan.run, call), {});
    return true;
  });
}

async function startPhones(): Promise<PhoneWorld> {
  // The sandbox's credentials, and its token endpoint of Google's.
  const world = await startWorld({ apple: { direct: true }, google: { direct: true } });
  const apple = await startPushServer(world.ca.issueServer(), STREAMS.apple, onPush);
  const google = await startPushServer(world.ca.issueServer(), STREAMS.google, onPush);
  return {
    ca: world.ca.certificate,
    settings: { APNS_URL: apple, APNS_SANDBOX_URL: apple, FCM_URL: google },
    teamKey: world.teamKey,
    serviceAccount: world.serviceAccount,
  };
}

/** What this process can be asked. */
const methods = {
  start: startPhones,
  begin: async (plan: PhonePlan) => begin(plan),
  /** How many calls of a batch were pushed so far. */
  pushed: async (firstCall: number) =>
    batchOf(firstCall)?.times.pushed.reduce((sum, at) => sum + (Number.isNaN(at) ? 0 : 1), 0) ?? 0,
  /** Ends a batch and hands out what was seen. */
  end: async (firstCall: number): Promise<PhoneTimes> => {
    const batch = batchOf(firstCall);
    if (batch === undefined) throw new Error(`no batch begins with call ${firstCall}`);
    batches.delete(batch);
    return batch.times;
  },
};

/** The push services and the phones behind them. */
export type PhonesProcess = typeof methods;

answerParent(methods);
