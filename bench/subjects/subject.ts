/** What is measured: the service, the limit, or another implementation. */
export interface Subject {
  readonly name: string;
  /** Where PBXs ask and apps answer: each instance, `http://host:port`. */
  readonly origins: readonly string[];
  /** Its processes, one for each instance; empty where they cannot be looked at. */
  readonly pids: readonly number[];
  /** Whether its pushes reach the phones of the bench. */
  readonly pushes: boolean;
  /** To be called when PBXs have hung up: resolves when no more than so many calls wait. */
  settle(waiting: number): Promise<void>;
  close(): Promise<void>;
}
