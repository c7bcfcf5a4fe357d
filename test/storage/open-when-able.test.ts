import assert from 'node:assert/strict';
import { it } from 'node:test';
import { sql } from 'kysely';
import type { Database } from '../../src/storage/database.ts';
import { allMigrations } from '../../src/storage/migrations/all-migrations.ts';
import { openWhenAble } from '../../src/storage/open-when-able.ts';
import { SERVICE_LIMITS } from '../../src/storage/server/server-limits.ts';
import { storageCall } from '../../src/storage/storage-call.ts';
import { StorageUnavailable } from '../../src/storage/storage-unavailable.ts';

function ask(database: Database) {
  return storageCall(database, () => sql`select 1 from apps`.execute(database.kysely));
}
function onAway() {
  return assert.fail('SQLite is never away');
}
const SQLITE = 'sqlite::memory:';

it('a SQLite database is migrated, checked and open', async (t) => {
  let checked: Database | undefined;
  const { database, opened, close } = await openWhenAble(SQLITE, SERVICE_LIMITS, {
    onAway,
    check: async (given) => {
      await ask(given);
      checked = given;
    },
  });
  t.after(close);
  assert.equal(checked, database);
  assert.deepEqual(await opened, Object.keys(allMigrations(database.dialect)));
  await close();
  await assert.rejects(ask(database), { fault: 'closed' });
});

it('a SQLite database in which the check finds anything is closed: it is not waited for', async () => {
  let checked: Database | undefined;
  const problem = new StorageUnavailable('busy', { cause: undefined });
  const opening = openWhenAble(SQLITE, SERVICE_LIMITS, {
    onAway,
    check: async (given) => {
      checked = given;
      throw problem;
    },
  });
  await assert.rejects(opening, (error) => error === problem);
  assert.ok(checked !== undefined);
  await assert.rejects(ask(checked), { fault: 'closed' });
});

it('what takes longer than five seconds goes on in the background', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const checking = Promise.withResolvers<void>();
  const finding = Promise.withResolvers<void>();
  const opening = openWhenAble(SQLITE, SERVICE_LIMITS, {
    onAway,
    check: () => {
      checking.resolve();
      return finding.promise;
    },
  });
  await checking.promise;
  t.mock.timers.tick(5_000);
  const { database, opened, close } = await opening;
  t.after(close);
  const problem = new Error('it was found late');
  finding.reject(problem);
  await assert.rejects(opened, (error) => error === problem);
  await ask(database);
});
