import { createRandom } from '../../harness/random.ts';
import { now } from '../lib/clock.ts';
import { answerParent } from '../lib/helper-process.ts';
import {
  accountOf,
  type CallTimes,
  callIdOf,
  ENDINGS,
  endingOf,
  followSchedule,
  isApple,
  tokenOf,
} from './calls.ts';
import { Connections } from './connections.ts';

/** Calls for PBXs to ask. */
export interface CallPlan {
  readonly run: string;
  /** Numbers of the calls: this one and those behind it. */
  readonly firstCall: number;
  /** Moments of `now` at which they are due, ascending. */
  readonly due: Float64Array;
  readonly accounts: number;
  /** Whom to ask: each in turn. */
  readonly origins: readonly string[];
  /** The share of requests over a connection of their own. */
  readonly freshShare: number;
  readonly seed: number;
  /** Resolve when the last one has been asked, not answered: they go on waiting until this process ends. */
  readonly held: boolean;
  /** No further calls once one has waited for so many milliseconds: who is asked does not keep up. */
  readonly patienceMs: number;
}

/** Phones to register, as many at once as said. */
export interface RegistrationPlan {
  readonly accounts: number;
  /** How many registrations in all; the accounts are gone through again and again. */
  readonly count: number;
  readonly atOnce: number;
  readonly origin: string;
}

const connections = new Connections();
let holding = 0;

const FORM = 'application/x-www-form-urlencoded';

async function askCalls(plan: CallPlan): Promise<CallTimes> {
  const { due, origins, run, firstCall, accounts, freshShare } = plan;
  const random = createRandom(plan.seed);
  const times: CallTimes = {
    due,
    asked: new Float64Array(due.length).fill(Number.NaN),
    ended: new Float64Array(due.length).fill(Number.NaN),
    endings: new Uint8Array(due.length),
  };
  const allEnded = Promise.withResolvers<void>();
  let open = 0;
  let oldest = 0;
  let allAsked = false;
  const endIfDone = (): void => {
    if (allAsked && (open === 0 || plan.held)) allEnded.resolve();
  };
  const ask = (index: number): boolean => {
    while (oldest < index && times.endings[oldest] !== ENDINGS.waiting) oldest += 1;
    const moment = now();
    if (moment - (times.asked[oldest] ?? moment) > plan.patienceMs) return false;
    open += 1;
    const call = firstCall + index;
    times.asked[index] = moment;
    connections.post(
      {
        origin: origins[call % origins.length] ?? '',
        path: '/api/incoming-call/',
        contentType: FORM,
        body: `sip_user_id=${accountOf(call, accounts)}&phonenumber=%2B31201234567&caller_id=Alice+Example&call_id=${callIdOf(run, call)}`,
        fresh: random() < freshShare,
      },
      (status, body) => {
        times.ended[index] = now();
        times.endings[index] = endingOf(status, body);
        if (plan.held) holding -= 1;
        open -= 1;
        endIfDone();
      },
    );
    if (plan.held) holding += 1;
    return true;
  };
  await followSchedule(due, ask);
  allAsked = true;
  endIfDone();
  await allEnded.promise;
  return times;
}

function registration(account: number, origin: string) {
  const platform = isApple(account) ? 'apns' : 'android';
  return {
    origin,
    path: `/api/${platform}-device/`,
    contentType: FORM,
    body: `sip_user_id=${account}&token=${encodeURIComponent(tokenOf(account))}&app=com.example.phone&name=Bench&os_version=1&client_version=1&push_profile=once`,
    fresh: false,
  };
}

/** Milliseconds that all took; rejects where one was refused. */
async function register({ accounts, count, atOnce, origin }: RegistrationPlan): Promise<number> {
  let next = 0;
  const one = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const account = accountOf(next, accounts);
      next += 1;
      connections.post(registration(account, origin), (status) => {
        if (status === 200 || status === 201) resolve();
        else reject(new Error(`a registration was answered ${status}`));
      });
    });
  const lane = async (): Promise<void> => {
    while (next < count) await one();
  };
  const startedAt = now();
  await Promise.all(Array.from({ length: Math.min(atOnce, count) }, lane));
  return now() - startedAt;
}

/** What this process can be asked. */
const methods = {
  ask: askCalls,
  register,
  /** How many calls wait that were asked with `held`. */
  holding: async () => holding,
};

/** The PBXs, and phones when they register. */
export type PbxProcess = typeof methods;

answerParent(methods);
