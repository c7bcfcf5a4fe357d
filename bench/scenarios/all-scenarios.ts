import { calls } from './calls.ts';
import type { Scenario } from './scenario.ts';

/** The parts of the bench, in the order in which they run. */
export const SCENARIOS: readonly Scenario[] = [calls];
