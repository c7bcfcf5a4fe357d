import type { CallOutcome } from '../../src/calls/call-outcome.ts';
import type { CallsMade } from './caller.ts';
import type { Handset } from './handset.ts';
import type { Stage } from './stage.ts';

/** What took part in a case, to be inspected when all calls are over. */
export interface CaseRun {
  readonly made: readonly CallsMade[];
  /** The phones that were called. */
  readonly phones: readonly Handset[];
  /** What is wrong beside what is looked at after every case, in words. */
  readonly problems?: readonly string[];
}

/** One thing that must work between a PBX, Kamailio, the service and phones. */
export interface E2eCase {
  readonly name: string;
  /** Calls by how they end at the service; none where Kamailio need not ask. Left out where chance decides. */
  readonly outcomes?: Readonly<Partial<Record<CallOutcome, number>>>;
  /** How many, from and to; `one a call`: one, and as many again as a slow phone earns by the schedule. */
  readonly pushes: readonly [number, number] | 'one a call';
  /** What Kamailio may log beside its notices. */
  readonly mayLog?: RegExp;
  /** It cannot be tried again on the same stage. */
  readonly once?: true;
  /** It is the call of docs/a-call-in-sip.md. */
  readonly isLadder?: true;
  /** The address that takes the calls in place of the phones. */
  readonly takenBy?: (stage: Stage) => string;
  readonly run: (stage: Stage) => Promise<CaseRun>;
}
