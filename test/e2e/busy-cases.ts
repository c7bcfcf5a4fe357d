import { until } from '../../harness/until.ts';
import type { E2eCase } from './e2e-case.ts';

/** Processes that wait for the service's answer, and calls that want one. */
export const BUSY_WORKERS = 2;
const CALLS = 6;
const HANG_UP_MS = 1_500;
/** What nobody waits for takes far less; what waits for the service, 4 s. */
const PROMPTLY_MS = 1_000;

/** With fewer processes that ask than there are calls to ask for. */
export const BUSY_CASES: readonly E2eCase[] = [
  {
    name: 'more calls than workers hold up nobody else',
    // Those in the queue may be asked for, or not, when the ones before them are over.
    pushes: [BUSY_WORKERS, CALLS * 2],
    mayLog: /active transaction not found/,
    run: async (stage) => {
      const awake = await stage.handset('ios', 'takes');
      await awake.openApp();
      const sleepers = await Promise.all(
        Array.from({ length: CALLS }, () => stage.handset('android', 'sleeps-on')),
      );
      const accounts = sleepers.map(({ account }) => account);
      const since = performance.now();
      const hungUp = stage.caller.call({ scenario: { kind: 'hangs-up', afterMs: HANG_UP_MS }, accounts });
      const pushed = () => sleepers.filter(({ diary }) => diary.pushes.length > 0).length;
      await until(() => pushed() === BUSY_WORKERS, 'every worker waits');
      const answered = await stage.caller.call({ scenario: { kind: 'answered' }, accounts: [awake.account] });
      const made = [answered, await hungUp];
      const tookMs = performance.now() - since;
      const problems =
        tookMs < HANG_UP_MS + PROMPTLY_MS
          ? []
          : [`callers were rid of their calls after ${Math.round(tookMs)} ms`];
      return { made, phones: [awake, ...sleepers], problems };
    },
  },
];
