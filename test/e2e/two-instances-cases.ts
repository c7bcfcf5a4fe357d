import { until } from '../../harness/until.ts';
import type { Scenario } from './caller.ts';
import type { CaseRun, E2eCase } from './e2e-case.ts';
import type { Stage } from './stage.ts';

const ANSWERED: Scenario = { kind: 'answered' };
const AWAY = /wake: instance [12] is away|failed to (connect|perform curl)|returned error (7|52):/;

function voicemailOf(stage: Stage): string {
  return stage.network.voicemail;
}

/** A call for a phone that nobody can wake any more, because no instance runs. */
async function callWithoutService(stage: Stage, scenario: Scenario): Promise<CaseRun> {
  const phone = await stage.handset('ios', 'takes');
  for (const service of stage.services) await service.kill();
  return { made: [await stage.caller.call({ scenario, accounts: [phone.account] })], phones: [phone] };
}

/** With two instances of the service, of which Kamailio asks the first first. They do not know of each other's calls. */
export const TWO_INSTANCES_CASES: readonly E2eCase[] = [
  {
    name: 'the first instance is stopping (503)',
    once: true,
    // The other call ended at the first instance, whose metrics are gone with it.
    outcomes: { ready: 1 },
    pushes: [4, 4],
    mayLog: AWAY,
    run: async (stage) => {
      const [first] = stage.services;
      const sleeper = await stage.handset('android', 'sleeps-on');
      const phone = await stage.handset('ios', 'takes');
      const timedOut: Scenario = { kind: 'refused', code: 480, outcome: 'timed-out' };
      const waiting = stage.caller.call({ scenario: timedOut, accounts: [sleeper.account] });
      await until(() => sleeper.diary.pushes.length > 0, 'a call waits at the first instance');
      const stopped = first?.stop();
      await until(() => first?.output().includes('stopping') === true, 'the first instance is stopping');
      const answered = await stage.caller.call({ scenario: ANSWERED, accounts: [phone.account] });
      const made = [await waiting, answered];
      const code = await stopped;
      const problems = code === 0 ? [] : [`the first instance ended with ${code}`];
      return { made, phones: [sleeper, phone], problems };
    },
  },
  {
    name: 'no instance can be reached',
    outcomes: {},
    pushes: [0, 0],
    mayLog: AWAY,
    run: (stage) => callWithoutService(stage, { kind: 'refused', code: 503, outcome: 'unreachable' }),
  },
];

/** The same with a voicemail server for calls that could not ring (WAKE_FALLBACK). */
export const VOICEMAIL_CASES: readonly E2eCase[] = [
  {
    name: 'the first instance is gone',
    outcomes: { ready: 1 },
    pushes: 'one a call',
    mayLog: AWAY,
    run: async (stage) => {
      await stage.services[0]?.kill();
      const phone = await stage.handset('ios', 'takes');
      return {
        made: [await stage.caller.call({ scenario: ANSWERED, accounts: [phone.account] })],
        phones: [phone],
      };
    },
  },
  {
    name: 'a phone that declines, with voicemail',
    outcomes: { declined: 1 },
    pushes: 'one a call',
    mayLog: AWAY,
    takenBy: voicemailOf,
    run: async (stage) => {
      const phone = await stage.handset('ios', 'declines');
      const made = await stage.caller.call({ scenario: ANSWERED, accounts: [phone.account] });
      const invites = stage.kamailio
        .messages()
        .filter(
          ({ callId, kind, to }) =>
            callId.startsWith(made.callIds) && kind === 'INVITE' && to === voicemailOf(stage),
        );
      const told = invites.at(-1)?.header('X-Wake-Outcome');
      const problems =
        told === 'declined' ? [] : [`voicemail was told the outcome ${told}; expected: declined`];
      return { made: [made], phones: [phone], problems };
    },
  },
  {
    name: 'no instance can be reached, with voicemail',
    outcomes: {},
    pushes: [0, 0],
    mayLog: AWAY,
    takenBy: voicemailOf,
    run: (stage) => callWithoutService(stage, ANSWERED),
  },
];
