import type { ServerProcess } from './server-process.ts';

/** A server that was set up and not started. */
export interface PreparedServer {
  readonly process: ServerProcess;
  readonly folder: string;
  readonly port: number;
  readonly killSignal: NodeJS.Signals;
  createDatabase(name: string): Promise<string>;
  /** Rejects while it does not take statements. */
  probe(): Promise<void>;
}
