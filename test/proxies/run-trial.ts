import { watchMachine } from '../../harness/machine-load.ts';
import { until } from '../../harness/until.ts';
import type { World } from '../../src/sandbox/world.ts';
import { createInstance, type Instance } from '../faults/many/instance.ts';
import { createLedger, type Subscriber } from '../faults/many/ledger.ts';
import { createLines } from '../faults/many/lines.ts';
import { pause } from '../faults/many/pause.ts';
import { createPbxs } from '../faults/many/pbxs.ts';
import { startPhones } from '../faults/many/phones.ts';
import { judge } from '../faults/many/verdict.ts';
import type { TriedRow } from '../helpers/retries.ts';
import type { Front } from './front.ts';
import { type RunningFront, startFront } from './running-front.ts';
import { CALLS, hasRoom, type Trial } from './trial.ts';

/** A line of the table. */
export interface TrialResult extends TriedRow {
  readonly front: Front;
  readonly trial: Trial;
  readonly calls: number;
  readonly acks: number;
  readonly naks: ReadonlyMap<string, number>;
  /** Connections that the service made to the proxy. */
  readonly connections: number;
  readonly reloads: number;
  /** From a PBX's request to its ACK, milliseconds; 0 if there was none. */
  readonly slowestMs: number;
  /** Calls whose PBX did not hear ACK, although every phone says that it is ready. */
  readonly lost: number;
  /** What the service and the proxy logged, if calls were lost. */
  readonly logs: readonly string[];
  readonly tookMs: number;
}

/** What all trials share. */
export interface Stage {
  readonly world: World;
  readonly subscribers: readonly Subscriber[];
  /** The environment of the service, beside where the push services are. */
  readonly settings: Readonly<Record<string, string>>;
  /** What a trial starts is disposed of with it, when the suite is ended by a signal. */
  readonly open: AsyncDisposableStack;
}

/** The default of APP_PUSH_ROUNDTRIP_WAIT: the service runs with its defaults. */
const WAIT_MS = 4_000;
const WAKE_UP = { least: 20, most: 20 };
/** Every call has ended long before: a PBX gives up 20 s after the wait. */
const QUIET_MS = 30_000;
/** No chance in it: every phone is ready, answers once, and one PBX asks for each call. */
/** Lines of a log that are shown. */
const SHOWN = 3;
function ALWAYS_HALF(): number {
  return 0.5;
}

/** Puts a proxy through a trial, with a process of the service of its own. Rejects where the suite itself fails. */
export async function runTrial(front: Front, trial: Trial, stage: Stage): Promise<TrialResult> {
  if (!hasRoom(trial, WAIT_MS)) throw new RangeError(`"${trial.name}" leaves the server no room to spare`);
  const startedAt = performance.now();
  const othersShare = watchMachine();
  const { world, subscribers } = stage;
  await using open = stage.open.use(new AsyncDisposableStack());
  for (const server of [world.apple, world.google]) {
    server.script({ kind: 'delay', ms: trial.answerMs });
    open.defer(() => server.clearFaults());
  }
  const running = await startFront(front, world, trial.limits);
  open.defer(() => running.close());
  const instance = await createInstance('A', { ...stage.settings, ...running.settings });
  open.defer(() => instance.kill());
  await instance.start();
  const lines = createLines([instance.url]);
  open.defer(() => lines.hangUp());
  const ledger = createLedger();
  const phones = startPhones({ world, subscribers, ledger, lines, anyInstance: false, random: ALWAYS_HALF });
  open.defer(() => phones.close());
  const pbxs = createPbxs({
    subscribers,
    ledger,
    lines,
    joins: false,
    waitMs: WAIT_MS,
    wakeUp: () => WAKE_UP,
    random: ALWAYS_HALF,
  });

  const reloads = reloadUntil(running, trial.reloadEveryMs);
  await placeCalls(trial, (count) => void pbxs.callAtOnce(count));
  const reloaded = await reloads.stop();
  await until(() => pbxs.waiting() === 0, 'every PBX has heard', QUIET_MS);

  const connections = await connectionsTo(instance, Object.values(running.settings));
  // Not killed: as it stops it leaves what it compiled to the next one.
  await instance.stop();

  const { calls } = ledger;
  const { acks, naks, lost, unexpected, timedOut: lateness } = judge(calls, WAIT_MS);
  const problems = [...lost, ...unexpected];
  const answered = calls.flatMap(({ legs }) => legs).flatMap(({ asks }) => asks.slice(-1));
  const rang = answered.filter(({ answer }) => answer?.word === 'status=ACK');
  return {
    name: `${front.name}: ${trial.name}`,
    front,
    trial,
    calls: calls.length,
    acks,
    naks,
    connections,
    reloads: reloaded,
    slowestMs: Math.round(Math.max(0, ...rang.map(({ at, endedAt }) => endedAt - at))),
    lost: calls.length - acks,
    problems,
    lateness,
    logs: problems.length === 0 ? [] : [lastLines(instance.output()), lastLines(await running.log())],
    tookMs: performance.now() - startedAt,
    othersShare: othersShare(),
  };
}

/** On time by the clock, so that a timer that comes late does not thin the load out. */
async function placeCalls({ load }: Trial, place: (count: number) => void): Promise<void> {
  const startedAt = performance.now();
  for (let placed = 0, arrivals = 0; placed < CALLS; arrivals += 1) {
    await pause(Math.max(0, startedAt + arrivals * load.everyMs - performance.now()));
    const count = Math.min(load.size, CALLS - placed);
    place(count);
    placed += count;
  }
}

/** Reloads the proxy again and again; `stop` resolves with how often, once the last one has been asked for. */
function reloadUntil(running: RunningFront, everyMs: number | undefined) {
  let stopped = false;
  const reloading = (async () => {
    let count = 0;
    while (everyMs !== undefined) {
      await pause(everyMs);
      if (stopped) break;
      await running.reload();
      count += 1;
    }
    return count;
  })();
  // A reload that fails ends the trial when it is looked for, not before.
  reloading.catch(() => {});
  return {
    stop: () => {
      stopped = true;
      return reloading;
    },
  };
}

async function connectionsTo(instance: Instance, origins: readonly string[]): Promise<number> {
  const byOrigin = (await instance.metrics()).by('vialer_middleware_channel_connects_total', 'origin');
  return origins.reduce((sum, origin) => sum + (byOrigin.get(origin) ?? 0), 0);
}

function lastLines(text: string): string {
  return text.trimEnd().split('\n').slice(-SHOWN).join('\n    ');
}
