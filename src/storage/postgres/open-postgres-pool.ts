import pg from 'pg';
import { monotonic } from '../../lib/monotonic.ts';
import { within } from '../../lib/within.ts';
import type { DatabaseAddress } from '../address/database-address.ts';
import { destroySocket } from '../server/destroy-socket.ts';
import { CLOSE_LIMIT_MS, CONNECT_LIMIT_MS, idleLimit, type ServerLimits } from '../server/server-limits.ts';
import type { ServerPool, ServerSession } from '../server/server-pool.ts';
import type { TlsOptions } from '../server/tls-options.ts';

/** Object id of `bigint`, https://www.postgresql.org/docs/current/datatype-oid.html and pg_type.dat. */
const INT8 = 20;

/** Our 64-bit columns are counters and times, far below 2^53; `pg` would give them as text. */
function numericTypes(): pg.TypeOverrides {
  const types = new pg.TypeOverrides();
  types.setTypeParser(INT8, Number);
  return types;
}

function sessionOf(client: pg.PoolClient, onGone: () => void): ServerSession {
  let gone = false;
  // A connection that breaks between two statements tells by this event; the next statement rejects.
  client.on('error', () => {});
  const openedAt = monotonic();
  return {
    openedAt,
    answeredAt: openedAt,
    run: async (sql, parameters) => {
      const { rows, rowCount, command } = await client.query(sql, [...parameters]);
      return { rows, affected: command === 'SELECT' ? undefined : BigInt(rowCount ?? 0), command };
    },
    release: () => {
      if (!gone) client.release();
    },
    destroy: () => {
      if (gone) return;
      gone = true;
      onGone();
      if ('connection' in client) destroySocket(client.connection);
      client.release(true);
    },
  };
}

const TLS_CHECKS = {
  encrypt: { checkServerIdentity: () => undefined },
  'verify-ca': { checkServerIdentity: () => undefined },
  'verify-full': {},
  off: {},
} as const;

/** A pool of `pg` connections; opens none yet. */
export function openPostgresPool(
  address: DatabaseAddress,
  tls: TlsOptions | undefined,
  limits: ServerLimits,
): ServerPool {
  const pool = new pg.Pool({
    host: address.socket ?? address.host,
    port: address.port,
    user: address.user,
    password: address.password,
    database: address.database,
    ssl: tls === undefined ? false : { ...tls, ...TLS_CHECKS[address.tls] },
    max: limits.poolSize,
    connectionTimeoutMillis: Math.min(limits.timeoutMs, CONNECT_LIMIT_MS),
    idleTimeoutMillis: 60_000,
    keepAlive: true,
    application_name: address.session.applicationName ?? 'vialer-middleware',
    ...(address.session.options === undefined ? {} : { options: address.session.options }),
    enableChannelBinding: address.session.bindsChannel,
    // The server gives up by itself what nobody waits for any more.
    statement_timeout: limits.timeoutMs,
    idle_in_transaction_session_timeout: idleLimit(limits.timeoutMs),
    types: numericTypes(),
  });
  const sessions = new Map<pg.PoolClient, ServerSession>();
  // The pool has already thrown an idle connection away when it tells that one broke.
  pool.on('error', () => {});
  pool.on('remove', (client) => sessions.delete(client));
  let ending: Promise<void> | undefined;
  const end = async () => {
    if (await within(pool.end(), CLOSE_LIMIT_MS)) return;
    for (const session of [...sessions.values()]) session.destroy();
  };
  return {
    take: async () => {
      const client = await pool.connect();
      const known = sessions.get(client);
      if (known !== undefined) return known;
      const session = sessionOf(client, () => sessions.delete(client));
      sessions.set(client, session);
      return session;
    },
    end: () => {
      ending ??= end();
      return ending;
    },
  };
}
