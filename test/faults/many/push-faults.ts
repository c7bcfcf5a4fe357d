import type { CallOutcome } from '../../../src/calls/call-outcome.ts';
import { monotonic } from '../../../src/lib/monotonic.ts';
import type { Apple } from '../../../src/sandbox/apple.ts';
import type { Google } from '../../../src/sandbox/google.ts';
import type { PhoneKind } from '../../../src/sandbox/phone-app.ts';
import type { Ask, CallRecord } from './call-record.ts';
import type { FaultCase, Impact, Scene } from './fault-case.ts';
import { WAIT_MS } from './fleet.ts';
import { pause } from './pause.ts';
import { TOLERANCE_MS } from './verdict.ts';

const FAULT_MS = 4_000;
/** Requests whose push was under way when the fault came. */
const EDGE_MS = 300;
/** After so long the breaker knows, and a PBX hears at once that nobody can be woken. */
const KNOWN_AFTER_MS = 1_500;
const AT_ONCE_MS = 500;

/** A fault of one push service; `back`: it ends by itself before the last calls come. */
interface PushFault {
  readonly name: string;
  /** Whose phones are hit. The other push service's calls must not feel it. */
  readonly kind: PhoneKind;
  readonly begin: (server: Apple | Google) => void;
  readonly end: (server: Apple | Google) => void;
  readonly forEver: boolean;
  /** Whether a PBX hears of it at once, once it is known. */
  readonly toldAtOnce: boolean;
}

function begins({ legs }: CallRecord): number {
  return legs[0]?.asks[0]?.at ?? 0;
}

/** When a fault began and ended. */
interface Span {
  readonly from: number;
  readonly to: number;
}

function callsHit(calls: readonly CallRecord[], fault: PushFault, { from, to }: Span) {
  return calls.filter((call) => call.kind === fault.kind && begins(call) > from && begins(call) < to);
}

function naksOf(calls: readonly CallRecord[]): readonly Ask[] {
  return calls.flatMap(({ legs }) => legs[0]?.asks.slice(-1) ?? []).filter(isNakOfFault);
}

function outageProblems(calls: readonly CallRecord[], fault: PushFault, span: Span): readonly string[] {
  const hit = callsHit(calls, fault, span);
  return [
    ...(hit.length === 0 ? ['no call was asked while the push service failed'] : []),
    ...(fault.forEver && naksOf(hit).length < hit.length
      ? ['calls rang through a push service that fails']
      : []),
  ];
}

function outageLateness(calls: readonly CallRecord[], fault: PushFault, span: Span): readonly string[] {
  const known = naksOf(callsHit(calls, fault, span)).filter(({ at }) => at > span.from + KNOWN_AFTER_MS);
  return known
    .filter(({ at, endedAt }) => fault.toldAtOnce && endedAt - at > AT_ONCE_MS + TOLERANCE_MS)
    .map(({ at, endedAt }) => `a PBX heard that nobody can be woken after ${Math.round(endedAt - at)} ms`);
}

/** A phone that was pushed in time has its word; one that was pushed too late or never has none. */
function allowedFor({ pushes, wakeUpMs }: CallRecord, ask: Ask): readonly CallOutcome[] {
  const [first] = pushes;
  if (first === undefined || first > ask.endedAt) return ['push-failed', 'provider-down'];
  return first + wakeUpMs > ask.at + WAIT_MS - EDGE_MS ? ['timed-out'] : [];
}

function strike(fault: PushFault) {
  return async ({ fleet }: Scene): Promise<Impact> => {
    const server = fault.kind === 'ios' ? fleet.world.apple : fleet.world.google;
    const from = monotonic();
    fault.begin(server);
    await pause(FAULT_MS);
    if (!fault.forEver) fault.end(server);
    const to = fault.forEver ? Number.POSITIVE_INFINITY : monotonic();
    return {
      allowance: (call, ask) =>
        call.kind === fault.kind && ask.at > from - EDGE_MS ? allowedFor(call, ask) : [],
      heal: () => fault.end(server),
      check: (calls) => outageProblems(calls, fault, { from, to }),
      lateness: (calls) => outageLateness(calls, fault, { from, to }),
    };
  };
}

function isNakOfFault({ answer }: { readonly answer: { readonly outcome: string } | undefined }): boolean {
  return answer?.outcome === 'push-failed' || answer?.outcome === 'provider-down';
}

const FAULTS: readonly PushFault[] = [
  {
    name: 'Apple silent',
    kind: 'ios',
    begin: (server) => server.silence('mute'),
    end: (server) => server.restore(),
    forEver: false,
    toldAtOnce: false,
  },
  {
    name: 'Google resetting',
    kind: 'android',
    begin: (server) => {
      server.silence('reset');
      server.disconnectAll();
    },
    end: (server) => server.restore(),
    forEver: false,
    toldAtOnce: false,
  },
  {
    name: 'Google answering 503',
    kind: 'android',
    begin: (server) => server.script({ kind: 'answer', status: 503, reason: 'UNAVAILABLE' }),
    end: (server) => server.clearFaults(),
    forEver: true,
    toldAtOnce: true,
  },
  {
    name: 'Apple answering 500',
    kind: 'ios',
    begin: (server) => server.script({ kind: 'answer', status: 500, reason: 'InternalServerError' }),
    end: (server) => server.clearFaults(),
    forEver: true,
    toldAtOnce: true,
  },
];

/** What can happen to a push service. */
export const PUSH_FAULTS: readonly FaultCase[] = FAULTS.map((fault) => ({
  name: fault.name,
  instances: 2,
  database: 'PostgreSQL',
  bus: 'Redis',
  strike: strike(fault),
}));
