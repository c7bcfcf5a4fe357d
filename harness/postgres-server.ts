import { execFile } from 'node:child_process';
import { chmod, chown, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import type { IssuedCertificate } from '../src/sandbox/certificates.ts';
import { requireServer } from './find-server.ts';
import type { PreparedServer } from './prepared-server.ts';
import { freePort, type RunAs, ServerProcess, serverFolder, unprivileged } from './server-process.ts';

const PASSWORD = 'pass/word@1';

async function writeFor(as: RunAs, path: string, content: string): Promise<string> {
  await writeFile(path, content);
  await chmod(path, 0o600);
  if (as.uid !== undefined && as.gid !== undefined) await chown(path, as.uid, as.gid);
  return path;
}

/** A PostgreSQL server that asks for a password; what it commits need not survive a power cut. */
export async function createPostgres(certificate: IssuedCertificate): Promise<PreparedServer> {
  const programs = requireServer('PostgreSQL');
  const as = unprivileged('postgres');
  const folder = await serverFolder(as);
  const data = join(folder, 'data');
  const passwordFile = await writeFor(as, join(folder, 'password'), PASSWORD);
  const initdb = ['-D', data, '-U', 'tester', '-A', 'scram-sha-256', '--pwfile', passwordFile, '-E', 'UTF8'];
  await promisify(execFile)(join(programs, 'initdb'), [...initdb, '--no-sync', '--locale', 'C.UTF-8'], as);
  const port = await freePort();
  const present = async (shown: IssuedCertificate) => ({
    ssl_cert_file: await writeFor(as, join(folder, 'server.pem'), shown.certificate),
    ssl_key_file: await writeFor(as, join(folder, 'server.key'), shown.privateKey),
  });
  const settings = {
    listen_addresses: '127.0.0.1',
    port: String(port),
    unix_socket_directories: folder,
    fsync: 'off',
    ssl: 'on',
    ...(await present(certificate)),
  };
  const args = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const addressOf = (name: string) =>
    `postgres://tester:${encodeURIComponent(PASSWORD)}@127.0.0.1:${port}/${name}`;
  const run = async (sql: string) => {
    const client = new pg.Client({ connectionString: addressOf('postgres'), connectionTimeoutMillis: 2_000 });
    client.on('error', () => {});
    try {
      await client.connect();
      await client.query(sql);
    } finally {
      await client.end();
    }
  };
  return {
    process: new ServerProcess(join(programs, 'postgres'), ['-D', data, ...args], as),
    folder,
    port,
    socket: folder,
    // Immediate shutdown: as a crash, but for its children, which end with it.
    killSignal: 'SIGQUIT',
    present: async (shown) => {
      await present(shown);
      await run('select pg_reload_conf()');
    },
    probe: () => run('select 1'),
    createDatabase: async (name) => {
      await run(`create database ${name}`);
      return addressOf(name);
    },
  };
}
