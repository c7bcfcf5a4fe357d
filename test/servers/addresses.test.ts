import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { sql } from 'kysely';
import { type DatabaseServer, startDatabaseServer } from '../../harness/database-server.ts';
import { type DatabaseKind, skipWithout } from '../../harness/find-server.ts';
import type { Database } from '../../src/storage/database.ts';
import { openDatabase } from '../../src/storage/open-database.ts';
import { tempFolder } from '../storage/temp-folder.ts';

/** What `expression` is in a session that begins as the address says. */
async function ask(url: string, expression: string): Promise<unknown> {
  const database = await openDatabase(url);
  try {
    const { rows } = await sql<{ answer: unknown }>`select ${sql.raw(expression)} as answer`.execute(
      database.kysely,
    );
    return rows[0]?.answer;
  } finally {
    await database.close();
  }
}

async function refusal(opening: Promise<Database>): Promise<string> {
  try {
    await (await opening).close();
    return 'opened';
  } catch (error) {
    return error instanceof Error ? `${error.name} ${error.message}` : 'no error';
  }
}

function onServer(kind: DatabaseKind, tests: (server: () => DatabaseServer) => void): void {
  describe(`addresses of ${kind}`, { skip: skipWithout(kind) }, () => {
    let started: DatabaseServer | undefined;
    before(async () => {
      started = await startDatabaseServer(kind);
    });
    after(() => started?.close());
    tests(() => {
      if (started === undefined) throw new Error(`${kind} was not started`);
      return started;
    });
  });
}

onServer('PostgreSQL', (server) => {
  const LOCAL = "inet_server_addr() is null and current_user = 'tester'";

  it('a Unix socket, as its directory in an option or percent-encoded in place of the host', async () => {
    const url = new URL(await server().createDatabase());
    const { socket } = server();
    const account = `${url.username}:${url.password}`;
    for (const address of [
      `postgres://${account}@${url.pathname}?host=${socket}&port=${url.port}`,
      `postgres://${account}@elsewhere:${url.port}${url.pathname}?host=${encodeURIComponent(socket)}`,
      `postgresql://${account}@${encodeURIComponent(socket)}:${url.port}${url.pathname}`,
    ]) {
      assert.equal(await ask(address, LOCAL), true, address);
    }
  });

  it('the options of other clients are understood, or do no harm', async () => {
    const url = await server().createDatabase();
    const folder = await tempFolder();
    const ca = join(folder.path, 'ca.pem');
    await writeFile(ca, server().ca);
    assert.equal(await ask(url, "current_setting('application_name')"), 'vialer-middleware');
    assert.equal(await ask(`${url}?application_name=x`, "current_setting('application_name')"), 'x');
    assert.equal(await ask(`${url}?options=-c%20work_mem%3D2MB`, "current_setting('work_mem')"), '2MB');
    const cloud = `?sslmode=verify-ca&sslrootcert=${ca}&channel_binding=require&connect_timeout=10&target_session_attrs=read-write&client_encoding=UTF8`;
    const encrypted = '(select ssl from pg_stat_ssl where pid = pg_backend_pid())';
    assert.equal(await ask(`${url}${cloud}`, encrypted), true);
    await folder.remove();
  });
});

onServer('MariaDB', (server) => {
  it('a Unix socket, under each of its names', async () => {
    const url = new URL(await server().createDatabase());
    const account = `${url.username}:${url.password}`;
    for (const option of ['socket', 'socketPath', 'unix_socket']) {
      const address = `mysql://${account}@localhost${url.pathname}?${option}=${server().socket}&charset=utf8mb4&connect_timeout=5`;
      assert.equal(await ask(address, 'substring_index(user(), "@", -1)'), 'localhost', option);
    }
  });

  it('a user with ed25519 is told what to change, and a user so changed gets in', async () => {
    const url = new URL(await server().createDatabase());
    const admin = await openDatabase(url.href);
    const run = (statement: string) => sql.raw(statement).execute(admin.kysely);
    await run("install soname 'auth_ed25519'");
    await run("create user ed@'127.0.0.1' identified via ed25519 using password('hunter2')");
    await run("grant all on *.* to ed@'127.0.0.1'");
    Object.assign(url, { username: 'ed', password: 'hunter2' });
    const said = await refusal(openDatabase(url.href));
    assert.match(
      said,
      /^DatabaseUrlError .*signs in by client_ed25519, which this service does not support; identify it by mysql_native_password/,
    );
    assert.doesNotMatch(said, /hunter2|TODO|\n/);
    await run("alter user ed@'127.0.0.1' identified via mysql_native_password using password('hunter2')");
    assert.equal(await ask(url.href, 'substring_index(user(), "@", 1)'), 'ed');
    await admin.close();
  });
});
