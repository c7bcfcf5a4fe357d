import type { Scenario } from './caller.ts';
import type { Network } from './network.ts';
import type { SipMessage } from './sip-message.ts';

/** One call as Kamailio saw it. */
export interface CallFlow {
  readonly callId: string;
  /** Without what was sent again. */
  readonly messages: readonly SipMessage[];
  /** When the caller's INVITE came, and when one was sent to the phone; milliseconds since the epoch. */
  readonly invitedAt: number | undefined;
  readonly releasedAt: number | undefined;
}

/** The flows of all calls whose Call-ID begins so. */
export function flowsOf(
  messages: readonly SipMessage[],
  callIds: string,
  network: Network,
): readonly CallFlow[] {
  const byCall = Map.groupBy(
    messages.filter(({ callId }) => callId.startsWith(callIds)),
    ({ callId }) => callId,
  );
  return [...byCall].map(([callId, all]): CallFlow => {
    const seen = new Set<string>();
    const once = all.filter((message) => {
      const key = [message.received, message.from, message.to, message.line, message.method].join(' ');
      return seen.size < seen.add(key).size;
    });
    const invites = once.filter(({ kind }) => kind === 'INVITE');
    return {
      callId,
      messages: once,
      invitedAt: invites.find(({ from }) => from === network.caller)?.at,
      releasedAt: invites.findLast(({ received }) => !received)?.at,
    };
  });
}

/** Milliseconds between two messages of a call with its caller, `CANCEL` and `487`; undefined where one is missing. */
export function msBetween(flow: CallFlow | undefined, one: string, other: string): number | undefined {
  const first = flow?.messages.find(({ kind }) => kind === one)?.at;
  const second = flow?.messages.find(({ kind }) => kind === other)?.at;
  return first === undefined || second === undefined ? undefined : second - first;
}

/** What must have passed, `→` in and `←` out of Kamailio, of each scenario: between it and the caller, then the phone. */
function flowFor(scenario: Scenario): {
  readonly caller: readonly string[];
  readonly phone: readonly string[];
} {
  switch (scenario.kind) {
    case 'answered':
      return {
        caller: ['→ INVITE', '← 100 INVITE', '← 180 INVITE', '← 200 INVITE', '→ ACK', '→ BYE', '← 200 BYE'],
        phone: ['← INVITE', '→ 180 INVITE', '→ 200 INVITE', '← ACK', '← BYE', '→ 200 BYE'],
      };
    case 'refused':
      return { caller: ['→ INVITE', '← 100 INVITE', `← ${scenario.code} INVITE`, '→ ACK'], phone: [] };
    case 'hangs-up':
      return {
        caller: ['→ INVITE', '← 100 INVITE', '→ CANCEL', '← 487 INVITE', '← 200 CANCEL', '→ ACK'],
        phone: [],
      };
    default:
      return scenario satisfies never;
  }
}

/** What a call's flow has too much or lacks, in words. `phone`: the address that it was to reach. */
export function faultsOfFlow(
  { callId, messages }: CallFlow,
  {
    scenario,
    network,
    phone,
  }: {
    readonly scenario: Scenario;
    readonly network: Network;
    readonly phone: string | undefined;
  },
): readonly string[] {
  const between = (address: string | undefined) =>
    messages.flatMap(({ received, from, to, kind, method }) => {
      if (from !== address && to !== address) return [];
      // Whether a phone says 100 is its own affair.
      if (kind === '100' && received) return [];
      return [`${received ? '→' : '←'} ${kind}${kind === method ? '' : ` ${method}`}`];
    });
  const wanted = flowFor(scenario);
  return [
    ...differences(`${callId}, Kamailio and the caller`, between(network.caller), wanted.caller),
    ...differences(`${callId}, Kamailio and the phone`, between(phone), wanted.phone),
  ];
}

function differences(what: string, found: readonly string[], wanted: readonly string[]): readonly string[] {
  // Kamailio's processes write the trace each for itself, so the order of two neighbours says nothing.
  const same = [...found].sort().join(', ') === [...wanted].sort().join(', ');
  return same
    ? []
    : [`${what}: ${found.join(', ') || 'nothing'}; expected: ${wanted.join(', ') || 'nothing'}`];
}
