import mysql from 'mysql2';
import { monotonic } from '../../lib/monotonic.ts';
import { within } from '../../lib/within.ts';
import type { DatabaseAddress } from '../address/database-address.ts';
import { DeadlineMissed } from '../server/deadline-missed.ts';
import { destroySocket } from '../server/destroy-socket.ts';
import { CLOSE_LIMIT_MS, CONNECT_LIMIT_MS, idleLimit, type ServerLimits } from '../server/server-limits.ts';
import type { ServerPool, ServerSession, SessionResult } from '../server/server-pool.ts';
import type { TlsOptions } from '../server/tls-options.ts';

/** Statements that may wait for a connection. Each leaves by its own deadline, so this only bounds a flood. */
const MAX_QUEUE = 10_000;

function isRows<R>(result: unknown): result is R[] {
  return Array.isArray(result);
}

function affectedBy(result: mysql.QueryResult): bigint {
  return 'affectedRows' in result && typeof result.affectedRows === 'number'
    ? BigInt(result.affectedRows)
    : 0n;
}

function runOn<R>(
  connection: mysql.PoolConnection,
  sql: string,
  parameters: readonly unknown[],
): Promise<SessionResult<R>> {
  return new Promise((resolve, reject) => {
    connection.query(sql, [...parameters], (error, result) => {
      if (error !== null) reject(error);
      else if (isRows<R>(result)) resolve({ rows: result, affected: undefined, command: undefined });
      else resolve({ rows: [], affected: affectedBy(result), command: undefined });
    });
  });
}

/** Of our texts, which the server is told at the start; columns have collations of their own. */
const COLLATION = 'utf8mb4_bin';

/**
 * What a session needs, whatever the server's defaults are: text in UTF-8, also where the server is told not to listen
 * to its clients' wish, and the backslash as escape character (the driver writes parameters into the text with both in
 * mind); an error instead of cut-off text; each statement committed unless a transaction was begun, and seeing what is
 * committed; no gap locks, which would make first registrations of neighbouring accounts wait for each other; no
 * endless waits.
 */
function settingsOf({ timeoutMs }: ServerLimits): string {
  const seconds = Math.max(1, Math.ceil(timeoutMs / 1000));
  const settings = [
    'character_set_client = utf8mb4',
    'character_set_results = utf8mb4',
    `collation_connection = ${COLLATION}`,
    'autocommit = 1',
    "sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION'",
    'sql_safe_updates = 0',
    'default_storage_engine = InnoDB',
    'foreign_key_checks = 1',
    `innodb_lock_wait_timeout = ${seconds}`,
    `lock_wait_timeout = ${seconds}`,
  ];
  // The server gives up by itself what nobody waits for any more. Each comment is read by its own engine alone:
  // https://mariadb.com/kb/en/comment-syntax/
  const limit = `/*M! , session max_statement_time = ${timeoutMs / 1000} */ /*!50708 , session max_execution_time = ${timeoutMs} */`;
  // MySQL has nothing of the kind.
  const idle = `/*M!100302 , session idle_transaction_timeout = ${Math.ceil(idleLimit(timeoutMs) / 1000)} */`;
  return `set session ${settings.join(', session ')} ${limit} ${idle}`;
}
const ISOLATION = 'set session transaction isolation level read committed';

async function sessionOf(
  connection: mysql.PoolConnection,
  limits: ServerLimits,
  onGone: () => void,
): Promise<ServerSession> {
  let gone = false;
  // A connection that breaks between two statements tells by these; the next statement rejects.
  connection.on('error', () => {});
  connection.on('end', onGone);
  const destroy = () => {
    if (gone) return;
    gone = true;
    onGone();
    connection.destroy();
    destroySocket(connection);
  };
  try {
    const settled = Promise.all([settingsOf(limits), ISOLATION].map((sql) => runOn(connection, sql, [])));
    // Whoever asked for it may have gone; a connection without an answer must not keep its place in the pool.
    if (!(await within(settled, limits.timeoutMs))) throw new DeadlineMissed(limits.timeoutMs);
  } catch (error) {
    destroy();
    throw error;
  }
  const openedAt = monotonic();
  return {
    openedAt,
    answeredAt: openedAt,
    run: (sql, parameters) => runOn(connection, sql, parameters),
    release: () => {
      if (!gone) connection.release();
    },
    destroy,
  };
}

/** A pool of `mysql2` connections; opens none yet. */
export function openMysqlPool(
  address: DatabaseAddress,
  tls: TlsOptions | undefined,
  limits: ServerLimits,
): ServerPool {
  const pool = mysql.createPool({
    ...(address.socket === undefined
      ? { host: address.host, port: address.port }
      : { socketPath: address.socket }),
    user: address.user,
    password: address.password,
    database: address.database,
    ...(tls === undefined ? {} : { ssl: { ...tls, verifyIdentity: address.tls === 'verify-full' } }),
    charset: COLLATION,
    connectionLimit: limits.poolSize,
    queueLimit: MAX_QUEUE,
    connectTimeout: Math.min(limits.timeoutMs, CONNECT_LIMIT_MS),
  });
  const sessions = new Map<mysql.PoolConnection, Promise<ServerSession>>();
  let ending: Promise<void> | undefined;
  const end = async () => {
    const ended = new Promise<void>((resolve) => pool.end(() => resolve()));
    if (await within(ended, CLOSE_LIMIT_MS)) return;
    for (const connection of [...sessions.keys()]) {
      connection.destroy();
      destroySocket(connection);
    }
  };
  const connect = (): Promise<mysql.PoolConnection> =>
    new Promise((resolve, reject) => {
      pool.getConnection((error, connection) => (error === null ? resolve(connection) : reject(error)));
    });
  return {
    take: async () => {
      const connection = await connect();
      const known = sessions.get(connection);
      if (known !== undefined) return known;
      const session = sessionOf(connection, limits, () => sessions.delete(connection));
      sessions.set(connection, session);
      return session;
    },
    end: () => {
      ending ??= end();
      return ending;
    },
  };
}
