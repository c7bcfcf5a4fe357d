import { until } from '../../harness/until.ts';
import type { PhoneKind } from '../../src/sandbox/phone-app.ts';
import { flowsOf, msBetween } from './call-flow.ts';
import type { Scenario } from './caller.ts';
import type { CaseRun, E2eCase } from './e2e-case.ts';
import type { Manner } from './handset.ts';
import { pauseUntil } from './pause-until.ts';
import { type Stage, WAIT_MS } from './stage.ts';

const ANSWERED: Scenario = { kind: 'answered' };

/** A phone is called once. */
async function callOne(stage: Stage, kind: PhoneKind, manner: Manner, scenario: Scenario): Promise<CaseRun> {
  const phone = await stage.handset(kind, manner);
  return { made: [await stage.caller.call({ scenario, accounts: [phone.account] })], phones: [phone] };
}

/** What is wrong with the time between two messages of the only call, in words. */
async function faultsOfDelay(
  stage: Stage,
  { made }: CaseRun,
  {
    from,
    to,
    least,
    most,
  }: { readonly from: string; readonly to: string; readonly least: number; readonly most: number },
): Promise<readonly string[]> {
  const [calls] = made;
  const read = () => {
    const flows = flowsOf(stage.kamailio.messages(), calls?.callIds ?? '', stage.network);
    return msBetween(flows[0], from, to);
  };
  await until(() => read() !== undefined, `the trace has ${from} and ${to}`, TRACED_MS).catch(() => {});
  const ms = read() ?? Number.NaN;
  return ms >= least && ms <= most
    ? []
    : [`from ${from} to ${to} it took ${Math.round(ms)} ms; expected: ${least} to ${most}`];
}

/** Kamailio writes its trace a moment later. */
const TRACED_MS = 1_000;
/** The caller gives up between the second push and the third, and need not wait for the service then. */
const HANGS_UP_MS = 1_300;
const PROMPTLY_MS = 500;
/** Of 50 phones the first app runs after so long, each next one a little later. */
const LAUNCH_FROM_MS = 150;
const LAUNCH_STEP_MS = 14;

/** With one instance of the service. */
export const PLAIN_CASES: readonly E2eCase[] = [
  {
    name: 'a woken iPhone',
    isLadder: true,
    outcomes: { ready: 1 },
    pushes: 'one a call',
    run: (stage) => callOne(stage, 'ios', 'takes', ANSWERED),
  },
  {
    name: 'a woken Android phone',
    outcomes: { ready: 1 },
    pushes: 'one a call',
    run: (stage) => callOne(stage, 'android', 'takes', ANSWERED),
  },
  {
    name: 'an app that is ready before it has registered',
    outcomes: { ready: 1 },
    pushes: 'one a call',
    run: (stage) => callOne(stage, 'ios', 'takes-hastily', ANSWERED),
  },
  {
    name: 'a phone that changes its network while it rings',
    outcomes: { ready: 1 },
    pushes: 'one a call',
    run: (stage) => callOne(stage, 'ios', 'moves', ANSWERED),
  },
  {
    name: 'a phone that declines',
    outcomes: { declined: 1 },
    pushes: [1, 1],
    run: (stage) => callOne(stage, 'ios', 'declines', { kind: 'refused', code: 603, outcome: 'declined' }),
  },
  {
    name: 'a phone that never wakes',
    outcomes: { 'timed-out': 1 },
    pushes: [3, 3],
    run: async (stage) => {
      const scenario = { kind: 'refused', code: 480, outcome: 'timed-out' } as const;
      const run = await callOne(stage, 'android', 'sleeps-on', scenario);
      const problems = await faultsOfDelay(stage, run, {
        from: 'INVITE',
        to: '480',
        least: WAIT_MS,
        most: WAIT_MS + PROMPTLY_MS,
      });
      return { ...run, problems };
    },
  },
  {
    name: 'an account without a phone',
    outcomes: { 'no-device': 1 },
    pushes: [0, 0],
    run: async (stage) => {
      const scenario = { kind: 'refused', code: 404, outcome: 'no-device' } as const;
      return { made: [await stage.caller.call({ scenario, accounts: [stage.newAccount()] })], phones: [] };
    },
  },
  {
    name: 'a phone whose push token died',
    outcomes: { 'token-gone': 1 },
    pushes: [0, 0],
    run: async (stage) => {
      const phone = await stage.handset('ios', 'takes');
      // Apple says since when: later than the phone registered.
      stage.world.apple.unregisterDevice(phone.token, Date.now() + 1_000);
      const scenario = { kind: 'refused', code: 480, outcome: 'token-gone' } as const;
      return { made: [await stage.caller.call({ scenario, accounts: [phone.account] })], phones: [phone] };
    },
  },
  {
    name: 'the caller hangs up while the phone wakes',
    outcomes: { cancelled: 1 },
    // http_async_client goes on with a call that is over.
    mayLog: /active transaction not found/,
    pushes: [1, 2],
    run: async (stage) => {
      const since = performance.now();
      const run = await callOne(stage, 'android', 'sleeps-on', { kind: 'hangs-up', afterMs: HANGS_UP_MS });
      const overAt = Date.now();
      // Until the time when the call would have been over.
      await pauseUntil(since + WAIT_MS);
      const late = run.phones.flatMap(({ diary }) => diary.pushes.filter((at) => at > overAt));
      const delays = await faultsOfDelay(stage, run, {
        from: 'CANCEL',
        to: '487',
        least: 0,
        most: PROMPTLY_MS,
      });
      const problems = late.length === 0 ? delays : [...delays, 'a push came after the caller had hung up'];
      return { ...run, problems };
    },
  },
  {
    name: 'an app that runs and is registered',
    outcomes: {},
    pushes: [0, 0],
    run: async (stage) => {
      const phone = await stage.handset('ios', 'takes');
      await phone.openApp();
      return {
        made: [await stage.caller.call({ scenario: ANSWERED, accounts: [phone.account] })],
        phones: [phone],
      };
    },
  },
  {
    name: 'an app that died and left its binding',
    outcomes: { ready: 1 },
    pushes: 'one a call',
    run: async (stage) => {
      const phone = await stage.handset('ios', 'takes');
      await (await phone.openApp()).kill();
      return {
        made: [await stage.caller.call({ scenario: ANSWERED, accounts: [phone.account] })],
        phones: [phone],
      };
    },
  },
  {
    name: 'two calls at once',
    outcomes: { ready: 2 },
    pushes: 'one a call',
    run: async (stage) => {
      const phones = [await stage.handset('ios', 'takes'), await stage.handset('android', 'takes')];
      const accounts = phones.map(({ account }) => account);
      return { made: [await stage.caller.call({ scenario: ANSWERED, accounts })], phones };
    },
  },
  {
    name: '50 calls at 5 a second',
    outcomes: { ready: 50 },
    pushes: 'one a call',
    run: async (stage) => {
      const phones = await Promise.all(
        Array.from({ length: 50 }, (_, index) =>
          stage.handset(
            index % 2 === 0 ? 'ios' : 'android',
            'takes',
            LAUNCH_FROM_MS + index * LAUNCH_STEP_MS,
          ),
        ),
      );
      const accounts = phones.map(({ account }) => account);
      return { made: [await stage.caller.call({ scenario: ANSWERED, accounts, rate: 5 })], phones };
    },
  },
];
