import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { sql } from 'kysely';
import type { DatabaseServer } from '../../harness/database-server.ts';
import type { DatabaseKind } from '../../harness/find-server.ts';
import { freePort } from '../../harness/server-process.ts';
import { until } from '../../harness/until.ts';
import { createProviderTokenStore } from '../../src/apps/provider-token-store.ts';
import { createDeviceStore } from '../../src/devices/device-store.ts';
import { createThrowAwayCa } from '../../src/sandbox/certificates.ts';
import type { Database } from '../../src/storage/database.ts';
import { migrate } from '../../src/storage/migrate.ts';
import { openDatabase } from '../../src/storage/open-database.ts';
import { storageCall } from '../../src/storage/storage-call.ts';
import { StorageUnavailable } from '../../src/storage/storage-unavailable.ts';
import { encryptedPem } from '../apps/credential-checks.ts';
import { PLAIN_VAULT } from '../helpers/plain-vault.ts';
import { tempFolder } from '../storage/temp-folder.ts';

const STATEMENTS = {
  PostgreSQL: {
    encrypted: 'select ssl as encrypted from pg_stat_ssl where pid = pg_backend_pid()',
    sleep: 'select pg_sleep(20)',
    sessions: 'select count(*) as held from pg_stat_activity where datname = current_database()',
  },
  MariaDB: {
    encrypted:
      "select variable_value <> '' as encrypted from information_schema.session_status where variable_name = 'SSL_CIPHER'",
    sleep: 'select sleep(20)',
    sessions: 'select count(*) as held from information_schema.processlist where db = database()',
  },
} as const;

function messageOf(opening: Promise<Database>): Promise<string> {
  return opening.then(
    async (database) => {
      await database.close();
      return 'opened';
    },
    (error: unknown) => (error instanceof Error ? `${error.name} ${error.message}` : 'no error'),
  );
}

/** Addresses, encryption, limits and closing. */
export function openingOnServer(server: () => DatabaseServer, kind: DatabaseKind): void {
  const statements = STATEMENTS[kind];
  const edited = async (
    change: Partial<Pick<URL, 'hostname' | 'password' | 'pathname' | 'port' | 'search'>>,
  ) => Object.assign(new URL(await server().createDatabase()), change).href;

  describe('opening', () => {
    it('what the operator has to set right is told in a line without the password', async () => {
      const nobody = await freePort();
      const cases = [
        [{ password: 'hunter2' }, /^DatabaseUrlError.*refuses this user, password or database: .*tester/],
        [
          { pathname: '/no_such_database' },
          /^DatabaseUrlError.*refuses this user, password or database: .*no_such_database/,
        ],
        [{ port: String(nobody) }, /^StorageUnavailable.*cannot be reached/],
        [{ search: '?sslmode=prefer' }, /^DatabaseUrlError.*sslmode=/],
        [
          { search: '?sslrootcert=/none/ca.pem' },
          /^DatabaseUrlError.*sslrootcert|^DatabaseUrlError.*host name/,
        ],
      ] as const;
      for (const [change, expected] of cases) {
        const message = await messageOf(openDatabase(await edited(change)));
        assert.match(message, expected);
        assert.doesNotMatch(message, /\n|pass%2Fword|pass\/word|hunter2/);
      }
    });

    it('TLS is as strict as the address says', async () => {
      const folder = await tempFolder();
      const file = join(folder.path, 'ca.pem');
      await writeFile(file, server().ca);
      const flat = join(folder.path, 'flat.pem');
      await writeFile(flat, server().ca.replaceAll('\n', '\\n'));
      const open = async (search: string) => openDatabase(await edited({ hostname: 'localhost', search }));
      for (const search of [
        '?sslmode=require',
        `?sslmode=verify-full&sslrootcert=${file}`,
        `?sslmode=verify-ca&sslrootcert=${file}`,
        `?sslmode=verify-ca&sslrootcert=${flat}`,
      ]) {
        const database = await open(search);
        const { rows } = await sql<{ encrypted: unknown }>`${sql.raw(statements.encrypted)}`.execute(
          database.kysely,
        );
        assert.equal(Boolean(rows[0]?.encrypted), true, search);
        await database.close();
      }
      for (const search of ['?sslmode=verify-full', '?sslmode=verify-ca', '?ssl=true']) {
        assert.match(
          await messageOf(open(search)),
          /^DatabaseUrlError.*trusted encrypted connection/,
          search,
        );
      }
      const locked = join(folder.path, 'locked.pem');
      await writeFile(locked, encryptedPem(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey));
      for (const [search, problem] of [
        [
          `?sslmode=require&sslcert=${file}&sslkey=${locked}`,
          /sslkey names .*, which holds a private key that is encrypted/,
        ],
        [
          `?sslmode=require&sslrootcert=${locked}`,
          /sslrootcert names .*, which holds no certificate .* private key without/,
        ],
      ] as const) {
        assert.match(await messageOf(open(search)), problem);
      }
      await folder.remove();
    });

    it('a certificate of another authority, for another host, or that has expired, is refused in words', async () => {
      const folder = await tempFolder();
      const [ours, other] = [join(folder.path, 'ca.pem'), join(folder.path, 'other.pem')];
      await writeFile(ours, server().ca);
      await writeFile(other, createThrowAwayCa().certificate);
      const open = async (search: string) =>
        messageOf(openDatabase(await edited({ hostname: 'localhost', search })));
      // A server may take a moment until it shows another certificate.
      const isRefused = (search: string, words: RegExp) =>
        until(async () => {
          const message = await open(search);
          return /^DatabaseUrlError.*trusted encrypted connection/.test(message) && words.test(message);
        }, `${search} is refused: ${words}`);
      await isRefused(`?sslmode=verify-ca&sslrootcert=${other}`, /certificate/);
      await isRefused(`?sslmode=verify-full&sslrootcert=${other}`, /certificate/);
      // As with libpq: an authority is not named for nothing.
      await isRefused(`?sslmode=require&sslrootcert=${other}`, /certificate/);
      await server().presenting({ host: 'db.elsewhere.example' }, async () => {
        await isRefused(`?sslmode=verify-full&sslrootcert=${ours}`, /db\.elsewhere\.example/);
        assert.equal(await open(`?sslmode=verify-ca&sslrootcert=${ours}`), 'opened');
      });
      await server().presenting({ notAfter: new Date(Date.now() - 1_000) }, async () => {
        await isRefused(`?sslmode=verify-ca&sslrootcert=${ours}`, /expired/);
        assert.equal(await open('?sslmode=require'), 'opened');
      });
      await folder.remove();
    });

    it('a statement that takes too long is given up by us and by the server, and its connection replaced', async () => {
      const url = await server().createDatabase();
      const database = await openDatabase(url, { poolSize: 1, timeoutMs: 300 });
      const slow = storageCall(database, () => sql.raw(statements.sleep).execute(database.kysely));
      await assert.rejects(slow, { name: 'StorageUnavailable', fault: 'slow' });
      const { rows } = await sql<{ one: number }>`select 1 as one`.execute(database.kysely);
      assert.equal(rows[0]?.one, 1);
      await database.close();
    });

    it('a mistake in our own SQL is no outage', async () => {
      const database = await openDatabase(await server().createDatabase());
      const wrong = storageCall(database, () => sql`selec 1`.execute(database.kysely));
      await assert.rejects(wrong, (error) => !(error instanceof StorageUnavailable));
      await database.close();
    });

    it('never more connections than the pool may have, and none after closing', async () => {
      const url = await server().createDatabase();
      const database = await openDatabase(url, { poolSize: 3, timeoutMs: 10_000 });
      const watcher = await openDatabase(url);
      const held = async () => {
        const { rows } = await sql<{ held: number }>`${sql.raw(statements.sessions)}`.execute(watcher.kysely);
        return Number(rows[0]?.held) - 1;
      };
      await migrate(database);
      const devices = createDeviceStore(database);
      await Promise.all(Array.from({ length: 50 }, (_, number) => devices.find(number)));
      assert.equal(await held(), 3);
      await database.close();
      await database.close();
      await until(async () => (await held()) === 0, 'the server has closed its side');
      await assert.rejects(devices.find(1), { name: 'StorageUnavailable', fault: 'closed' });
      await watcher.close();
    });

    it('text is kept as it is, whatever characters an injection would need', async () => {
      const database = await openDatabase(await server().createDatabase());
      await migrate(database);
      const tokens = createProviderTokenStore(database, PLAIN_VAULT);
      const jwt = `a\\'b"c\`d\\\\e%_;--\n\r\t\u001a 👩‍👩‍👧 é \\ 縗' 縗\\' 1`;
      await tokens.replace(jwt, { jwt, mintedAt: 1 }, undefined);
      assert.deepEqual(await tokens.load(jwt), { jwt, mintedAt: 1 });
      await database.close();
    });
  });
}
