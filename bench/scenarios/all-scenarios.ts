import { calls } from './calls.ts';
import { instances } from './instances.ts';
import { pushes } from './pushes.ts';
import { registrations } from './registrations.ts';
import type { Scenario } from './scenario.ts';
import { sustained } from './sustained.ts';
import { waiting } from './waiting.ts';

/** The parts of the bench, in the order in which they run. */
export const SCENARIOS: readonly Scenario[] = [calls, sustained, waiting, registrations, pushes, instances];
