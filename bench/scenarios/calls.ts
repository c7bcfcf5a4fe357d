import { holdCalls } from '../calls/hold-calls.ts';
import { type CallWindow, measureCalls } from '../calls/measure-calls.ts';
import type { Pair } from '../report/figure.ts';
import type { Subject } from '../subjects/subject.ts';
import { type Bench, defineScenario, type RoundsOf } from './scenario.ts';

interface Round {
  readonly service: CallWindow;
  readonly limit: CallWindow;
}

const FIGURES = {
  'calls.cpu.sqlite': {
    title: 'processor time a call',
    unit: 'µs',
    target: { of: 'ratio', atMost: 1.6 },
  },
  'calls.ack-delay.p50': {
    title: "app's answer → PBX's ACK, p50",
    unit: 'ms',
    target: { of: 'value', atMost: 1 },
  },
  'calls.ack-delay.p99': {
    title: "app's answer → PBX's ACK, p99",
    unit: 'ms',
    target: { of: 'ratio', atMost: 3 },
  },
  'calls.ack-delay.p999': { title: "app's answer → PBX's ACK, p99.9", unit: 'ms' },
  'calls.push-delay.p50': { title: "PBX's request → push on the wire, p50", unit: 'ms' },
  'calls.push-delay.p99': { title: "PBX's request → push on the wire, p99", unit: 'ms' },
  'calls.push-delay.p999': { title: "PBX's request → push on the wire, p99.9", unit: 'ms' },
} as const;

/** What a call costs and how long it is delayed. */
export const calls = defineScenario({
  name: 'calls',
  ofAnyService: true,
  about: 'processor time a call, and what the service adds to its way, at 500 calls/s with 2,000 waiting',
  figures: FIGURES,
  prepare: async (bench) => {
    const [limit, service] = await Promise.all([bench.limit(), bench.service()]);
    return () => measure(bench, limit, service);
  },
});

async function measure(bench: Bench, limit: Subject, service: Subject): Promise<RoundsOf<typeof FIGURES>> {
  const { rounds: count, twoThousand } = bench.extent;
  const both = [limit, service];
  for (const subject of both) await bench.warmUp(subject);
  await using waiting = new AsyncDisposableStack();
  const fill = async (subject: Subject): Promise<void> => {
    const held = holdCalls(bench.tools, subject);
    waiting.defer(() => held.releaseTo(0));
    await held.fillTo(twoThousand.held);
  };
  await Promise.all(both.map(fill));
  const rounds: Round[] = [];
  for (let round = 1; round <= count; round += 1) {
    const ofLimit = await measured(bench, limit, round);
    rounds.push({ limit: ofLimit, service: await measured(bench, service, round) });
  }
  return roundsOf(rounds);
}

async function measured(bench: Bench, subject: Subject, round: number): Promise<CallWindow> {
  const { twoThousand, seconds } = bench.extent;
  const window = await measureCalls(bench.tools, subject, { ...twoThousand, seconds });
  tellCalls(bench, `round ${round}, ${subject.name}`, window);
  return window;
}

/** Tells a person what was measured just now. */
export function tellCalls({ say }: Pick<Bench, 'say'>, what: string, window: CallWindow): void {
  const { cpuUsPerCall, ackDelay, lateness, shares } = window;
  say(
    `${what}: ${Math.round(cpuUsPerCall)} µs a call, ACK p50 ${ackDelay.p50.toFixed(2)} p99 ${ackDelay.p99.toFixed(2)} ms, late p99 ${lateness.p99.toFixed(1)} ms, processors ${shares.subject.toFixed(2)} + PBXs ${shares.pbxs.toFixed(2)} + phones ${shares.phones.toFixed(2)}`,
  );
}

function roundsOf(rounds: readonly Round[]): RoundsOf<typeof FIGURES> {
  const pairs = (of: (window: CallWindow) => number): readonly Pair[] =>
    rounds.map(({ service, limit }) => ({ value: of(service), baseline: of(limit) }));
  return {
    'calls.cpu.sqlite': pairs((window) => window.cpuUsPerCall),
    'calls.ack-delay.p50': pairs((window) => window.ackDelay.p50),
    'calls.ack-delay.p99': pairs((window) => window.ackDelay.p99),
    'calls.ack-delay.p999': pairs((window) => window.ackDelay.p999),
    'calls.push-delay.p50': pairs((window) => window.pushDelay.p50),
    'calls.push-delay.p99': pairs((window) => window.pushDelay.p99),
    'calls.push-delay.p999': pairs((window) => window.pushDelay.p999),
  };
}
