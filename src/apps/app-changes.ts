import type { Transaction } from 'kysely';
import type { Database } from '../storage/database.ts';
import { keyedQuery } from '../storage/keyed-query.ts';
import { storageCall } from '../storage/storage-call.ts';
import type { Tables } from '../storage/tables.ts';

/** The only row of `app_changes`. */
const COUNTER = 1;

/** Counts a change and tells the new number. The row stays locked until the end, so changes of apps happen in turn. */
export async function countAppChange(transaction: Transaction<Tables>): Promise<number> {
  await transaction
    .updateTable('app_changes')
    .set(({ eb }) => ({ revision: eb('revision', '+', 1) }))
    .where('id', '=', COUNTER)
    .execute();
  const row = await transaction
    .selectFrom('app_changes')
    .select('revision')
    .where('id', '=', COUNTER)
    .executeTakeFirstOrThrow();
  return row.revision;
}

/** A function that tells how many changes were counted: one read by primary key. Rejects with `StorageUnavailable`. */
export function readAppChanges(database: Database): () => Promise<number> {
  const readCounter = keyedQuery(database, (id) =>
    database.kysely.selectFrom('app_changes').select('revision').where('id', '=', id),
  );
  return () =>
    storageCall(database, async () => {
      const [row] = await readCounter(COUNTER);
      if (row === undefined) throw new Error('the database has lost its row of app_changes');
      return row.revision;
    });
}
