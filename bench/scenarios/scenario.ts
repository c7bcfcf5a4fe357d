import type { Tools } from '../lib/tools.ts';
import type { FigureAbout, Pair } from '../report/figure.ts';
import type { InstancesOptions } from '../subjects/start-instances.ts';
import type { Subject } from '../subjects/subject.ts';
import type { Extent } from './extent.ts';

/** What a scenario measures with. */
export interface Bench {
  readonly tools: Tools;
  readonly extent: Extent;
  /** The bare server, and the service on SQLite with the bus in memory or the target: the same for all scenarios. */
  limit(): Promise<Subject>;
  service(): Promise<Subject>;
  /** More of them, which end with the scenario. A service has its phones registered and its first calls behind it. */
  newLimit(running: AsyncDisposableStack): Promise<Subject>;
  newService(running: AsyncDisposableStack, options?: InstancesOptions): Promise<Subject>;
  /** Lets so many calls come that V8 has compiled what they run through; once for each subject. */
  warmUp(subject: Subject): Promise<void>;
  /** Spares it that. */
  isWarm(subject: Subject): void;
  /** Tells a person what is going on. */
  say(text: string): void;
}

/** A part of the bench. */
export interface Scenario {
  readonly name: string;
  /** Whether it can be run with another implementation in place of this service. */
  readonly ofAnyService: boolean;
  /** One sentence for `--help`. */
  readonly about: string;
  /** What it finds out, by name. */
  readonly figures: Readonly<Record<string, FigureAbout>>;
  /**
   * Starts what it needs, perhaps while others do the same; `running` ends with the scenario. What it resolves with is
   * called when nothing else is measured.
   */
  prepare(bench: Bench, running: AsyncDisposableStack): Promise<() => Promise<RoundsOf<Scenario['figures']>>>;
}

/** The rounds of each figure. */
export type RoundsOf<F> = Readonly<Record<keyof F, readonly Pair[]>>;

/** A scenario that measures each of its figures: one that it forgets does not compile. */
export function defineScenario<const F extends Scenario['figures']>(
  scenario: Omit<Scenario, 'figures' | 'prepare'> & {
    readonly figures: F;
    prepare(bench: Bench, running: AsyncDisposableStack): Promise<() => Promise<RoundsOf<F>>>;
  },
): Scenario {
  return scenario;
}
