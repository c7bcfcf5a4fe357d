import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { sql } from 'kysely';
import type { DatabaseServer } from '../../harness/database-server.ts';
import { until } from '../../harness/until.ts';
import type { Database } from '../../src/storage/database.ts';
import { allMigrations } from '../../src/storage/migrations/all-migrations.ts';
import { openWhenAble } from '../../src/storage/open-when-able.ts';
import { storageCall } from '../../src/storage/storage-call.ts';
import { type StorageFault, StorageUnavailable } from '../../src/storage/storage-unavailable.ts';

/** Time for a machine that is busy with other tests. */
const LIMITS = { poolSize: 1, timeoutMs: 10_000 };

/** What is over after a while, and what only an operator ends. */
const PASSING = [
  'busy',
  'conflict',
  'crowded',
  'full',
  'gone',
  'io',
  'opening',
  'read-only',
  'slow',
] as const;
const LASTING = ['closed', 'damaged', 'forbidden', 'refused', 'replaced', 'untrusted'] as const;

function unavailable(fault: StorageFault) {
  return new StorageUnavailable(fault, { cause: undefined });
}
function ask(database: Database) {
  return storageCall(database, () => sql`select 1`.execute(database.kysely));
}

/** A service that starts while its database server may be unusable. */
export function waitingForServer(server: () => DatabaseServer): void {
  describe('waiting', () => {
    /** Opens a new database, in which `check` finds faults. */
    const start = async (t: TestContext, check: (database: Database) => Promise<unknown>) => {
      const told: StorageFault[] = [];
      const onAway = ({ fault }: StorageUnavailable) => void told.push(fault);
      const opening = openWhenAble(await server().createDatabase(), LIMITS, {
        onAway,
        check: async (database) => void (await check(database)),
      });
      t.after(() =>
        opening.then(
          (opened) => opened.close(),
          () => {},
        ),
      );
      return { opening, told };
    };

    it('for what passes by itself: nothing may be asked, in its words, until it is over', async (t) => {
      const waitFor = async (fault: StorageFault): Promise<void> => {
        let lasts = true;
        const { opening, told } = await start(t, async () => {
          if (lasts) throw unavailable(fault);
        });
        const { database, opened } = await opening;
        await until(() => told.length > 0, `it is told that the database is ${fault}`);
        await assert.rejects(ask(database), { name: 'StorageUnavailable', fault });
        lasts = false;
        await opened;
        await ask(database);
        assert.deepEqual(told, [fault], 'told once');
      };
      await Promise.all(PASSING.map(waitFor));
    });

    it('for nothing that only an operator ends', async (t) => {
      const refuse = async (fault: StorageFault): Promise<void> => {
        const { opening, told } = await start(t, async () => {
          throw unavailable(fault);
        });
        await assert.rejects(opening, { name: 'StorageUnavailable', fault });
        assert.deepEqual(told, []);
      };
      await Promise.all(LASTING.map(refuse));
    });

    it('reports each new reason once, and what was migrated in the end', async (t) => {
      const faults: StorageFault[] = ['gone', 'gone', 'slow', 'slow', 'gone'];
      const { opening, told } = await start(t, async () => {
        const fault = faults.shift();
        if (fault !== undefined) throw unavailable(fault);
      });
      const { database, opened } = await opening;
      // The first try has migrated it.
      assert.deepEqual(await opened, []);
      assert.deepEqual(told, ['gone', 'slow', 'gone']);
      await ask(database);
    });

    it('is over at once if nothing is wrong', async (t) => {
      const { opening, told } = await start(t, ask);
      const { database, opened } = await opening;
      assert.deepEqual(await opened, Object.keys(allMigrations(database.dialect)));
      assert.deepEqual(told, []);
    });

    it('ends when it is closed: there is no other try, and no verdict', async (t) => {
      let tries = 0;
      const { opening } = await start(t, async () => {
        tries += 1;
        throw unavailable('gone');
      });
      const { opened, close } = await opening;
      await close();
      const before = tries;
      // The second try would have begun after 400 ms at most.
      assert.equal(await Promise.race([opened, delay(1_000, 'no verdict')]), 'no verdict');
      assert.equal(tries, before);
    });

    it('that is closed during a try gives no verdict of it', async (t) => {
      const closed = Promise.withResolvers<void>();
      let tries = 0;
      const { opening } = await start(t, async () => {
        tries += 1;
        if (tries === 1) throw unavailable('gone');
        await closed.promise;
        throw unavailable('forbidden');
      });
      const { opened, close } = await opening;
      await until(() => tries === 2, 'it is tried again');
      await close();
      closed.resolve();
      assert.equal(await Promise.race([opened, delay(100, 'no verdict')]), 'no verdict');
    });
  });
}
