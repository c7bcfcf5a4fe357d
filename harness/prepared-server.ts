import type { IssuedCertificate } from '../src/sandbox/certificates.ts';
import type { ServerProcess } from './server-process.ts';

/** A server that was set up and not started. */
export interface PreparedServer {
  readonly process: ServerProcess;
  readonly folder: string;
  readonly port: number;
  /** Its Unix socket, as an address names it: PostgreSQL's directory, MariaDB's file. */
  readonly socket: string;
  readonly killSignal: NodeJS.Signals;
  /** Shows another certificate to those who connect from now on. */
  present(certificate: IssuedCertificate): Promise<void>;
  createDatabase(name: string): Promise<string>;
  /** Rejects while it does not take statements. */
  probe(): Promise<void>;
}
