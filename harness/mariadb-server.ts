import { execFile } from 'node:child_process';
import { chmod, chown, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import mysql from 'mysql2/promise';
import type { IssuedCertificate } from '../src/sandbox/certificates.ts';
import { requireServer } from './find-server.ts';
import type { PreparedServer } from './prepared-server.ts';
import { freePort, ServerProcess, serverFolder, unprivileged } from './server-process.ts';

const PASSWORD = 'pass/word@1';

const USERS = `
  create user if not exists tester@'127.0.0.1' identified by '${PASSWORD}';
  grant all on *.* to tester@'127.0.0.1' with grant option;
  create user if not exists tester@localhost identified by '${PASSWORD}';
  grant all on *.* to tester@localhost with grant option;`;

/** A MariaDB server that asks for a password; what it commits need not survive a power cut. */
export async function createMariadb(certificate: IssuedCertificate): Promise<PreparedServer> {
  const programs = requireServer('MariaDB');
  const as = unprivileged('mysql');
  const folder = await serverFolder(as);
  const data = join(folder, 'data');
  const write = async (files: Readonly<Record<string, string>>) => {
    for (const [name, content] of Object.entries(files)) {
      const path = join(folder, name);
      await writeFile(path, content);
      await chmod(path, 0o600);
      if (as.uid !== undefined && as.gid !== undefined) await chown(path, as.uid, as.gid);
    }
  };
  const present = (shown: IssuedCertificate) =>
    write({ 'server.pem': shown.certificate, 'server.key': shown.privateKey });
  await present(certificate);
  await write({ 'users.sql': USERS.replaceAll(/\s*\n\s*/g, '\n') });
  const install = [
    '--no-defaults',
    `--datadir=${data}`,
    '--skip-test-db',
    '--auth-root-authentication-method=normal',
  ];
  // A server that starts removes the temporary files of the others that share its folder for them. The log files of the
  // default size would cost most of the time.
  const own = [`--tmpdir=${folder}`, '--innodb-log-file-size=8M', '--innodb-buffer-pool-size=32M'];
  await promisify(execFile)('mariadb-install-db', [...install, ...own], { ...as, cwd: folder });
  const port = await freePort();
  const settings = [
    `--datadir=${data}`,
    '--bind-address=127.0.0.1',
    `--port=${port}`,
    `--socket=${join(folder, 'socket')}`,
    `--pid-file=${join(folder, 'pid')}`,
    `--ssl-cert=${join(folder, 'server.pem')}`,
    `--ssl-key=${join(folder, 'server.key')}`,
    // Commits reach the operating system: they survive the process, not a power cut.
    '--innodb-flush-log-at-trx-commit=2',
    '--innodb-flush-method=nosync',
    // The defaults that our connections must not depend on. Under gb2312 the last byte of some characters of UTF-8 and a
    // backslash behind them are one character: the quote that it was to escape would end the text.
    '--sql-mode=NO_BACKSLASH_ESCAPES',
    '--character-set-server=gb2312',
    '--skip-character-set-client-handshake',
    '--autocommit=0',
    '--sql-safe-updates=1',
    '--skip-name-resolve=OFF',
    ...own,
  ];
  const run = async (sql: string) => {
    const connection = await mysql.createConnection({
      host: '127.0.0.1',
      port,
      user: 'tester',
      password: PASSWORD,
      connectTimeout: 2_000,
    });
    try {
      await connection.query(sql);
    } finally {
      connection.destroy();
    }
  };
  return {
    process: new ServerProcess(
      join(programs, 'mariadbd'),
      ['--no-defaults', ...settings, `--init-file=${join(folder, 'users.sql')}`],
      as,
    ),
    folder,
    port,
    socket: join(folder, 'socket'),
    killSignal: 'SIGKILL',
    present: async (shown) => {
      await present(shown);
      await run('flush ssl');
    },
    probe: () => run('select 1'),
    createDatabase: async (name) => {
      await run(`create database ${name}`);
      return `mysql://tester:${encodeURIComponent(PASSWORD)}@127.0.0.1:${port}/${name}`;
    },
  };
}
