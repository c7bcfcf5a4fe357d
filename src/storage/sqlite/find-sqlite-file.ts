import { existsSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import { errorCode } from '../../lib/error-code.ts';
import { DatabaseMissing } from '../database-missing.ts';
import { DatabaseUrlError } from '../database-url-error.ts';
import { HISTORY_TABLE } from '../migrations/all-migrations.ts';
import { sqliteFault } from './sqlite-fault.ts';

function isAbsent(error: unknown): boolean {
  const code = errorCode(error);
  return code === 'ENOENT' || code === 'ENOTDIR';
}

async function sizeOf(path: string): Promise<number> {
  try {
    const found = await stat(path);
    if (found.isDirectory()) throw new DatabaseUrlError(`${path} is a directory, not a file`);
    return found.size;
  } catch (error) {
    if (isAbsent(error)) throw new DatabaseMissing(`there is no database at ${path}`, { cause: error });
    if (error instanceof DatabaseUrlError) throw error;
    throw new DatabaseUrlError(`${path} cannot be looked at`, { cause: error });
  }
}

function holdsOurTables(path: string): boolean {
  // If nobody has it open, it is read without the side files, which a connection that only reads would leave behind.
  const unopened = pathToFileURL(path);
  unopened.search = 'immutable=1';
  const place = existsSync(`${path}-wal`) ? path : unopened;
  const sqlite = new DatabaseSync(place, { readOnly: true, timeout: 1_000 });
  try {
    return sqlite.prepare('select 1 from sqlite_master where name = ?').get(HISTORY_TABLE) !== undefined;
  } finally {
    sqlite.close();
  }
}

/**
 * Makes sure that `path` is a database of this service, without changing a byte of it: opening one for writing would
 * make a missing file and change the journal of one that belongs to another program. Rejects with `DatabaseMissing`, and
 * with `DatabaseUrlError` where it is something else.
 */
export async function findSqliteFile(relative: string): Promise<void> {
  const path = resolve(relative);
  const size = await sizeOf(path);
  if (size === 0) throw new DatabaseMissing(`the file ${path} is empty`);
  let isOurs: boolean;
  try {
    isOurs = holdsOurTables(path);
  } catch (error) {
    if (sqliteFault(error) === 'damaged') {
      throw new DatabaseUrlError(`${path} is not a SQLite database, or is damaged`, { cause: error });
    }
    // Locked just now, for example: opening it will wait, and say what is the matter.
    return;
  }
  if (!isOurs) throw new DatabaseMissing(`the database ${path} has no tables of this service`);
}
