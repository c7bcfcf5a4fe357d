import { type Dialect, Kysely, sql } from 'kysely';
import type { DatabaseAddress } from '../../lib/database-address.ts';
import type { ClosedDatabase, SqlDialect } from '../database.ts';
import { DatabaseUrlError } from '../database-url-error.ts';
import { storageCall } from '../storage-call.ts';
import { StorageUnavailable } from '../storage-unavailable.ts';
import type { Tables } from '../tables.ts';
import { ServerDriver } from './server-driver.ts';
import { MIGRATION_LIMITS, type ServerLimits } from './server-limits.ts';
import type { ServerPool } from './server-pool.ts';
import { type TlsOptions, tlsOptions } from './tls-options.ts';

/** What an engine brings: its driver's pool, its SQL, its errors. */
export interface ServerEngine {
  readonly openPool: (
    address: DatabaseAddress,
    tls: TlsOptions | undefined,
    limits: ServerLimits,
  ) => ServerPool;
  readonly faultOf: SqlDialect['faultOf'];
  readonly kysely: Omit<Dialect, 'createDriver'>;
  /** Its dialect, by what the server answers to `select version()`. */
  readonly dialectOf: (version: string) => SqlDialect;
}

/** Of a name that does not exist: https://nodejs.org/api/dns.html#error-codes; a name server that is away says otherwise. */
const isUnknownHost = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'ENOTFOUND';

/** What the operator has to set right becomes a fault of the address; a server that is away for now does not. */
const firstContact = async (kysely: Kysely<Tables>, faultOf: SqlDialect['faultOf']): Promise<string> => {
  try {
    const { rows } = await sql<{ version: string }>`select version() as version`.execute(kysely);
    return rows[0]?.version ?? '';
  } catch (error) {
    if (isUnknownHost(error)) throw new DatabaseUrlError('there is no host of this name', { cause: error });
    switch (faultOf(error)) {
      case 'refused':
        throw new DatabaseUrlError('the server refuses this user, password or database', { cause: error });
      case 'untrusted':
        throw new DatabaseUrlError(
          'no trusted encrypted connection to the server; look at sslmode and sslrootcert',
          { cause: error },
        );
      default:
        throw error;
    }
  }
};

/** Prepares a database on a server without asking it anything. Rejects with `DatabaseUrlError`. */
export const openServer = async (
  address: DatabaseAddress,
  limits: ServerLimits,
  engine: ServerEngine,
): Promise<ClosedDatabase> => {
  const tls = await tlsOptions(address);
  const { faultOf: engineFault } = engine;
  const meansLost = (error: unknown) => engineFault(error) === 'gone';
  const meansReadOnly = (error: unknown) => engineFault(error) === 'read-only';
  let closed = false;
  let refusal: StorageUnavailable | undefined = new StorageUnavailable('opening', { cause: undefined });
  const faultOf: SqlDialect['faultOf'] = (error) => (closed ? 'closed' : engineFault(error));
  let dialect: SqlDialect = { ...engine.dialectOf(''), faultOf };
  const opened = new Set<Kysely<Tables>>();
  const open = (limitsOfPool: ServerLimits, isGuarded: boolean): Kysely<Tables> => {
    const pool = engine.openPool(address, tls, limitsOfPool);
    const options = { limitMs: limitsOfPool.timeoutMs, meansLost, meansReadOnly };
    const guard = isGuarded ? { refusal: () => refusal } : {};
    const createDriver = () => new ServerDriver(pool, { ...options, ...guard });
    const kysely = new Kysely<Tables>({ dialect: { ...engine.kysely, createDriver } });
    opened.add(kysely);
    return kysely;
  };
  /** Work on a connection of its own, which the guard does not hold back. */
  const apart = async <T>(limitsOfPool: ServerLimits, work: (own: Kysely<Tables>) => Promise<T>) => {
    const own = open(limitsOfPool, false);
    try {
      return await work(own);
    } finally {
      opened.delete(own);
      await own.destroy();
    }
  };
  const kysely = open(limits, true);
  const call = <T>(work: () => Promise<T>) => storageCall({ dialect: { faultOf } }, work);
  return {
    kysely,
    get dialect() {
      return dialect;
    },
    contact: () =>
      call(async () => {
        const version = await apart({ ...limits, poolSize: 1 }, (own) => firstContact(own, faultOf));
        dialect = { ...engine.dialectOf(version), faultOf };
      }),
    refuse: (why) => {
      refusal = why;
    },
    admit: () => {
      refusal = undefined;
    },
    ping: async () => {
      await call(() => sql`select account from devices limit 1`.execute(kysely));
      await call(() => sql`update app_changes set revision = revision where id = 0`.execute(kysely));
    },
    migrating: (work) => apart(MIGRATION_LIMITS, work),
    close: async () => {
      closed = true;
      await Promise.all([...opened].map((each) => each.destroy()));
    },
  };
};
