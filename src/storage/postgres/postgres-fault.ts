import pg from 'pg';
import { DeadlineMissed } from '../server/deadline-missed.ts';
import { networkFault } from '../server/network-fault.ts';
import type { StorageFault } from '../storage-unavailable.ts';

/** SQLSTATE codes, https://www.postgresql.org/docs/current/errcodes-appendix.html. */
const FAULTS: Readonly<Record<string, StorageFault>> = {
  '23503': 'conflict', // foreign_key_violation
  '23505': 'conflict', // unique_violation
  '25006': 'read-only', // read_only_sql_transaction: a standby
  '25P03': 'slow', // idle_in_transaction_session_timeout
  '3D000': 'refused', // invalid_catalog_name
  '40001': 'conflict', // serialization_failure
  '40P01': 'conflict', // deadlock_detected
  '42501': 'forbidden', // insufficient_privilege
  '53100': 'full', // disk_full
  '53300': 'crowded', // too_many_connections
  '53400': 'crowded', // configuration_limit_exceeded
  '55P03': 'busy', // lock_not_available
  '57014': 'slow', // query_canceled: statement_timeout
  '58030': 'io', // io_error
  XX001: 'damaged', // data_corrupted
  XX002: 'damaged', // index_corrupted
};

/** Classes of SQLSTATE codes, their first two characters. */
const CLASSES: Readonly<Record<string, StorageFault>> = {
  '08': 'gone', // connection exception
  '28': 'refused', // invalid authorization
  '53': 'io', // insufficient resources
  '57': 'gone', // operator intervention: shutting down, starting up
  '58': 'io', // system error
};

/** `pg` and `pg-pool` tell a lost connection by a plain error with one of these beginnings. */
const LOST = [
  'Connection terminated',
  'Client has encountered a connection error',
  'Client was closed and is not queryable',
  'timeout exceeded when trying to connect',
  'timeout expired',
];

/** What an error of `pg` means; undefined for wrong SQL, wrong values and whatever else is a mistake of ours. */
export function postgresFault(error: unknown): StorageFault | undefined {
  if (error instanceof DeadlineMissed) return 'slow';
  if (error instanceof pg.DatabaseError) {
    const code = error.code ?? '';
    return FAULTS[code] ?? CLASSES[code.slice(0, 2)];
  }
  if (!(error instanceof Error)) return undefined;
  return LOST.some((beginning) => error.message.startsWith(beginning)) ? 'gone' : networkFault(error);
}
