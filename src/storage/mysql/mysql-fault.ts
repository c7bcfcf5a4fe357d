import { errorCode } from '../../lib/error-code.ts';
import { DeadlineMissed } from '../server/deadline-missed.ts';
import { networkFault } from '../server/network-fault.ts';
import type { StorageFault } from '../storage-unavailable.ts';

/**
 * Numbers of https://dev.mysql.com/doc/mysql-errors/8.4/en/server-error-reference.html and
 * https://mariadb.com/kb/en/mariadb-error-code-reference/.
 */
const FAULTS: Readonly<Record<number, StorageFault>> = {
  1021: 'full', // ER_DISK_FULL
  1030: 'io', // ER_GET_ERRNO
  1034: 'damaged', // ER_NOT_KEYFILE
  1037: 'io', // ER_OUTOFMEMORY
  1040: 'crowded', // ER_CON_COUNT_ERROR
  1041: 'io', // ER_OUT_OF_RESOURCES
  1044: 'refused', // ER_DBACCESS_DENIED_ERROR
  1045: 'refused', // ER_ACCESS_DENIED_ERROR
  1047: 'gone', // ER_UNKNOWN_COM_ERROR: a Galera node that has lost its cluster
  1049: 'refused', // ER_BAD_DB_ERROR
  1053: 'gone', // ER_SERVER_SHUTDOWN
  1062: 'conflict', // ER_DUP_ENTRY
  1114: 'full', // ER_RECORD_FILE_FULL
  1129: 'refused', // ER_HOST_IS_BLOCKED
  1130: 'refused', // ER_HOST_NOT_PRIVILEGED
  1135: 'crowded', // ER_CANT_CREATE_THREAD
  1142: 'forbidden', // ER_TABLEACCESS_DENIED_ERROR
  1143: 'forbidden', // ER_COLUMNACCESS_DENIED_ERROR
  1203: 'crowded', // ER_TOO_MANY_USER_CONNECTIONS
  1205: 'busy', // ER_LOCK_WAIT_TIMEOUT
  1213: 'conflict', // ER_LOCK_DEADLOCK
  1223: 'busy', // ER_CANT_UPDATE_WITH_READLOCK
  1226: 'crowded', // ER_USER_LIMIT_REACHED
  1227: 'forbidden', // ER_SPECIFIC_ACCESS_DENIED_ERROR
  1251: 'refused', // ER_NOT_SUPPORTED_AUTH_MODE
  1290: 'read-only', // ER_OPTION_PREVENTS_STATEMENT
  1317: 'slow', // ER_QUERY_INTERRUPTED
  1451: 'conflict', // ER_ROW_IS_REFERENCED_2
  1452: 'conflict', // ER_NO_REFERENCED_ROW_2
  1698: 'refused', // ER_ACCESS_DENIED_NO_PASSWORD_ERROR
  1712: 'damaged', // ER_INDEX_CORRUPT
  1792: 'read-only', // ER_CANT_EXECUTE_IN_READ_ONLY_TRANSACTION
  1820: 'refused', // ER_MUST_CHANGE_PASSWORD
  1836: 'read-only', // ER_READ_ONLY_MODE
  1862: 'refused', // ER_MUST_CHANGE_PASSWORD_LOGIN
  1927: 'gone', // ER_CONNECTION_KILLED
  1969: 'slow', // ER_STATEMENT_TIMEOUT of MariaDB
  3024: 'slow', // ER_QUERY_TIMEOUT of MySQL
  3118: 'refused', // ER_ACCOUNT_HAS_BEEN_LOCKED of MySQL
  3159: 'refused', // ER_SECURE_TRANSPORT_REQUIRED of MySQL
  4031: 'gone', // ER_CLIENT_INTERACTION_TIMEOUT: idle for longer than wait_timeout
  4151: 'refused', // ER_ACCOUNT_HAS_BEEN_LOCKED of MariaDB
};

/** Codes and beginnings of messages by which `mysql2` tells a connection that is lost. */
const LOST_CODES: ReadonlySet<string> = new Set(['PROTOCOL_CONNECTION_LOST', 'PROTOCOL_SEQUENCE_TIMEOUT']);
const LOST_MESSAGES = ["Can't add new command when connection is in closed state", 'Queue limit reached'];

/** What an error of `mysql2` means; undefined for wrong SQL, wrong values and whatever else is a mistake of ours. */
export function mysqlFault(error: unknown): StorageFault | undefined {
  if (error instanceof DeadlineMissed) return 'slow';
  if (!(error instanceof Error)) return undefined;
  const known = 'errno' in error && typeof error.errno === 'number' ? FAULTS[error.errno] : undefined;
  if (known !== undefined) return known;
  // The class of connection exceptions: shutting down, aborting, packets that did not arrive.
  if ('sqlState' in error && typeof error.sqlState === 'string' && error.sqlState.startsWith('08'))
    return 'gone';
  const code = errorCode(error) ?? '';
  if (LOST_CODES.has(code) || LOST_MESSAGES.some((text) => error.message.startsWith(text))) return 'gone';
  if (code === 'AUTH_SWITCH_PLUGIN_ERROR') return 'refused';
  if (code === 'HANDSHAKE_NO_SSL_SUPPORT') return 'untrusted';
  return networkFault(error);
}
