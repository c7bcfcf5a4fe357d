import { calls } from './calls.ts';
import { instances } from './instances.ts';
import { pushes } from './pushes.ts';
import { registrations } from './registrations.ts';
import type { Scenario } from './scenario.ts';
import { sustained } from './sustained.ts';
import { waiting } from './waiting.ts';

/** The parts of the bench, in the order in which they run: memory is looked at in new processes. */
export const SCENARIOS: readonly Scenario[] = [waiting, calls, sustained, registrations, pushes, instances];
