import { errorCode } from '../../lib/error-code.ts';
import type { StorageFault } from '../storage-unavailable.ts';

/** Primary result codes, https://sqlite.org/rescode.html. */
const FAULTS: Readonly<Record<number, StorageFault>> = {
  3: 'io', // SQLITE_PERM
  5: 'busy', // SQLITE_BUSY
  6: 'busy', // SQLITE_LOCKED
  7: 'io', // SQLITE_NOMEM
  8: 'read-only', // SQLITE_READONLY
  10: 'io', // SQLITE_IOERR
  11: 'damaged', // SQLITE_CORRUPT
  13: 'full', // SQLITE_FULL
  14: 'io', // SQLITE_CANTOPEN
  15: 'busy', // SQLITE_PROTOCOL
  26: 'damaged', // SQLITE_NOTADB
};

/** Extended result codes of rows that another transaction changed first. */
const CONFLICTS: ReadonlySet<number> = new Set([
  787, // SQLITE_CONSTRAINT_FOREIGNKEY
  1555, // SQLITE_CONSTRAINT_PRIMARYKEY
  2067, // SQLITE_CONSTRAINT_UNIQUE
]);

/** What an error of `node:sqlite` means; undefined for wrong SQL, wrong values and whatever else is a mistake of ours. */
export function sqliteFault(error: unknown): StorageFault | undefined {
  if (errorCode(error) === 'ERR_INVALID_STATE') return 'closed';
  if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number')
    return undefined;
  // The low byte of an extended code is its primary code.
  return CONFLICTS.has(error.errcode) ? 'conflict' : FAULTS[error.errcode & 0xff];
}
