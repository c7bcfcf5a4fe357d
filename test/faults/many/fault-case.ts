import type { DatabaseServer } from '../../../harness/database-server.ts';
import type { DatabaseKind } from '../../../harness/find-server.ts';
import type { Bus, BusKind } from './buses.ts';
import type { CallRecord } from './call-record.ts';
import type { Fleet } from './fleet.ts';
import type { Holdings } from './holdings.ts';
import type { Pbxs } from './pbxs.ts';
import type { Phones } from './phones.ts';
import type { Allowance } from './verdict.ts';

/** A fleet under load, at the moment of the fault. */
export interface Scene {
  readonly fleet: Fleet;
  readonly database: DatabaseServer;
  readonly bus: Bus;
  readonly pbxs: Pbxs;
  readonly phones: Phones;
}

/** What a fault did, told once it is over. */
export interface Impact {
  /** How calls may end beside what their phones say; none unless told. */
  readonly allowance?: Allowance;
  /** Calls whose PBXs wait at several instances that cannot know of each other. */
  readonly apart?: (call: CallRecord) => boolean;
  /** Calls whose app said two things to instances that could not ask Redis which came first: either may be heard. */
  readonly contested?: (call: CallRecord) => boolean;
  /** Ends what goes on "for ever", before the calls that must ring again. */
  readonly heal?: () => void | Promise<void>;
  /** What each instance may hold afterwards beyond what it held before, by kind. */
  readonly mayKeep?: Holdings;
  /** What is wrong beside the calls that end otherwise than allowed, in words; asked when all have ended. */
  readonly check?: (calls: readonly CallRecord[]) => readonly string[];
  /** Likewise, what only took too long. */
  readonly lateness?: (calls: readonly CallRecord[]) => readonly string[];
}

/** One fault, tried with 500 calls in flight. */
export interface FaultCase {
  readonly name: string;
  readonly instances: 2 | 3;
  readonly database: DatabaseKind;
  readonly bus: BusKind;
  /** Of each instance, beside the usual ones. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Brings the fault about and waits until it is over, or, "for ever", has shown what it does. */
  readonly strike: (scene: Scene) => Promise<Impact>;
}
