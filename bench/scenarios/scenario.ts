import type { Tools } from '../lib/tools.ts';
import type { Figure } from '../report/figure.ts';
import type { InstancesOptions } from '../subjects/start-instances.ts';
import type { Subject } from '../subjects/subject.ts';
import type { Extent } from './extent.ts';

/** What a scenario measures with. */
export interface Bench {
  readonly tools: Tools;
  readonly extent: Extent;
  /** The bare server. */
  limit(): Promise<Subject>;
  /** The service on SQLite with the bus in memory, or the target; its phones are registered and it is warm. */
  service(): Promise<Subject>;
  /** Starts another service, registered and warm; whoever asks for it closes it. */
  startService(options: InstancesOptions): Promise<Subject>;
  /** Tells a person what is going on. */
  say(text: string): void;
}

/** A part of the bench. */
export interface Scenario {
  readonly name: string;
  /** One sentence for `--help`. */
  readonly about: string;
  run(bench: Bench): Promise<readonly Figure[]>;
}
