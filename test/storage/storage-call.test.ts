import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { SqlDialect } from '../../src/storage/database.ts';
import { migrate, migrationState } from '../../src/storage/migrate.ts';
import { openDatabase } from '../../src/storage/open-database.ts';
import { sqliteSqlDialect } from '../../src/storage/sqlite/sqlite-kysely-dialect.ts';
import { storageCall, storageChange } from '../../src/storage/storage-call.ts';
import { type StorageFault, StorageUnavailable } from '../../src/storage/storage-unavailable.ts';
import { WriteGuard } from '../../src/storage/write-guard.ts';
import { tempFolder } from './temp-folder.ts';

/** What a driver would throw. */
class Refusal extends Error {
  readonly fault: StorageFault;

  constructor(fault: StorageFault) {
    super(fault);
    this.fault = fault;
  }
}
const dialect: SqlDialect = {
  ...sqliteSqlDialect,
  faultOf: (error) => (error instanceof Refusal ? error.fault : undefined),
};

/** Work that is refused some times and then done; counts how often it was tried. */
function refusedFor(fault: StorageFault, times: number) {
  const work = { tries: 0, run: async () => 'done' };
  work.run = async () => {
    work.tries += 1;
    if (work.tries <= times) throw new Refusal(fault);
    return 'done';
  };
  return work;
}

function unavailable(fault: StorageFault) {
  return (error: unknown) =>
    error instanceof StorageUnavailable && error.fault === fault && error.cause instanceof Refusal;
}

describe('work that a database refuses', () => {
  for (const fault of ['busy', 'crowded'] as const) {
    it(`${fault}: is done as soon as the database takes it`, async () => {
      const work = refusedFor(fault, 2);
      assert.equal(await storageCall({ dialect }, work.run), 'done');
      assert.equal(work.tries, 3);
    });

    it(`${fault}: is given up after half a second, with pauses between the tries`, async () => {
      const work = refusedFor(fault, Number.POSITIVE_INFINITY);
      const began = performance.now();
      await assert.rejects(storageCall({ dialect }, work.run), unavailable(fault));
      assert.ok(performance.now() - began >= 499);
      assert.ok(work.tries > 1 && work.tries <= 60, `${work.tries} tries`);
    });
  }

  it('read-only: is tried once more, on what may be another server', async () => {
    const work = refusedFor('read-only', 1);
    assert.equal(await storageCall({ dialect }, work.run), 'done');
    const never = refusedFor('read-only', Number.POSITIVE_INFINITY);
    await assert.rejects(storageCall({ dialect }, never.run), unavailable('read-only'));
    assert.equal(never.tries, 2);
  });

  it('otherwise: is tried once', async () => {
    const work = refusedFor('gone', 1);
    await assert.rejects(storageCall({ dialect }, work.run), unavailable('gone'));
    assert.equal(work.tries, 1);
  });

  it('a mistake of ours stays what it is, and so does what was explained before', async () => {
    const mistakes = [new Error('wrong SQL'), new StorageUnavailable('full', { cause: undefined })];
    for (const mistake of mistakes)
      await assert.rejects(
        storageCall({ dialect }, () => Promise.reject(mistake)),
        (error) => error === mistake,
      );
  });
});

describe('what became of changes', () => {
  const change = (writes: WriteGuard, work: () => Promise<unknown>) =>
    storageChange({ dialect, writes }, work);
  const fail = async (writes: WriteGuard, error: Error): Promise<Error | undefined> => {
    await assert.rejects(change(writes, () => Promise.reject(error)));
    return writes.failure;
  };

  it('a failure that trying would not show is remembered until a change succeeds', async () => {
    for (const error of [new Refusal('full'), new Refusal('io'), new Error('refused by a trigger')]) {
      const writes = new WriteGuard(() => undefined);
      const failure = await fail(writes, error);
      assert.ok(failure === error || failure?.cause === error, error.message);
      assert.equal(writes.confirmedAt, Number.NEGATIVE_INFINITY);
      await change(writes, async () => {});
      assert.equal(writes.failure, undefined);
      assert.ok(Math.abs(performance.now() - writes.confirmedAt) < 10_000);
    }
  });

  it('a failure that trying shows is not remembered', async () => {
    const writes = new WriteGuard(() => undefined);
    assert.equal(await fail(writes, new Refusal('gone')), undefined);
  });

  it('a change that does not last has failed', async () => {
    const loss = new StorageUnavailable('replaced', { cause: undefined });
    const writes = new WriteGuard(() => loss);
    await assert.rejects(
      change(writes, async () => {}),
      (error) => error === loss,
    );
    assert.equal(writes.confirmedAt, Number.NEGATIVE_INFINITY);
  });
});

it('migrating says how far a database is, and waits for a server without a free connection', async (t) => {
  const folder = await tempFolder();
  t.after(() => folder.remove());
  const database = await openDatabase(`sqlite:${join(folder.path, 'state.db')}`);
  t.after(() => database.close());
  assert.equal(await migrationState(database), 'empty');
  // Longer than any other work waits.
  const fullUntil = performance.now() + 700;
  const crowded: typeof database = {
    ...database,
    dialect,
    migrating: async (work) => {
      if (performance.now() < fullUntil) throw new Refusal('crowded');
      return database.migrating(work);
    },
  };
  assert.notDeepEqual(await migrate(crowded), []);
  assert.equal(await migrationState(database), 'current');
});
