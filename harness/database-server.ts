import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import { createThrowAwayCa } from '../src/sandbox/certificates.ts';
import type { DatabaseKind } from './find-server.ts';
import { createMariadb } from './mariadb-server.ts';
import { createPostgres } from './postgres-server.ts';
import type { PreparedServer } from './prepared-server.ts';
import { removeFolder, type ServerProcess } from './server-process.ts';
import { until } from './until.ts';

/** A database server of its own for one test file. */
export interface DatabaseServer {
  readonly process: ServerProcess;
  /** Its Unix socket: PostgreSQL's directory, MariaDB's file. */
  readonly socket: string;
  /** PEM of the authority that signed the server's certificate for `localhost` and 127.0.0.1. */
  readonly ca: string;
  /** Shows a certificate of the same authority that is for `host`, or expired, for as long as `work` takes. */
  presenting(
    certificate: { readonly host?: string; readonly notAfter?: Date },
    work: () => Promise<void>,
  ): Promise<void>;
  /** Makes a new empty database and tells its address, without TLS. */
  createDatabase(): Promise<string>;
  /** Starts it again after its process has ended, and waits until it takes connections. */
  start(): Promise<void>;
  /** Ends it at once, as `kill -9` does. */
  kill(): Promise<void>;
  close(): Promise<void>;
}

async function takesConnections({ port, probe, process }: PreparedServer): Promise<boolean> {
  if (!process.runs) throw new Error(`the database server ended: ${process.output}`);
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    await probe();
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

/** Sets up a new server in a folder of its own, on a free port of 127.0.0.1, and starts it. */
export async function startDatabaseServer(kind: DatabaseKind): Promise<DatabaseServer> {
  const ca = createThrowAwayCa();
  const certificate = ca.issueServer();
  const server = await (kind === 'PostgreSQL' ? createPostgres : createMariadb)(certificate);
  const start = async () => {
    // A killed server's children may hold its files for a moment longer.
    await until(async () => {
      if (!server.process.runs) server.process.start();
      return takesConnections(server).catch(() => false);
    }, 'the database server takes connections');
  };
  await start();
  return {
    process: server.process,
    socket: server.socket,
    ca: ca.certificate,
    presenting: async (other, work) => {
      await server.present(ca.issueServer(other));
      try {
        await work();
      } finally {
        await server.present(certificate);
      }
    },
    createDatabase: () => server.createDatabase(`t${randomBytes(6).toString('hex')}`),
    start,
    kill: () => server.process.end(server.killSignal),
    close: async () => {
      await server.process.end(server.killSignal);
      await removeFolder(server.folder);
    },
  };
}
