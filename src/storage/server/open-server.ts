import { type Dialect, Kysely, sql } from 'kysely';
import { errorCode } from '../../lib/error-code.ts';
import type { DatabaseAddress } from '../address/database-address.ts';
import type { ClosedDatabase, SqlDialect } from '../database.ts';
import { DatabaseUrlError } from '../database-url-error.ts';
import { driverWords } from '../driver-words.ts';
import { storageCall } from '../storage-call.ts';
import { type StorageFault, StorageUnavailable } from '../storage-unavailable.ts';
import type { Tables } from '../tables.ts';
import { WriteGuard } from '../write-guard.ts';
import { LendingPool } from './lending-pool.ts';
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
  /** SQL that gives what the server says of itself. */
  readonly identity: string;
  /** Its dialect, by what it says of itself. */
  readonly dialectOf: (identity: string) => SqlDialect;
  /** Why our tables cannot be in such a database; undefined where they can. */
  readonly unsuited: (identity: string) => string | undefined;
}

/**
 * Faults that a session may keep after their cause has ended: it leads to a server that was demoted, or MariaDB goes on with
 * the login and the rights that the user had when it was opened.
 */
const OF_SESSIONS: ReadonlySet<StorageFault> = new Set(['forbidden', 'read-only', 'refused']);

/** Prepares a database on a server without asking it anything. Rejects with `DatabaseUrlError`. */
export async function openServer(
  address: DatabaseAddress,
  limits: ServerLimits,
  engine: ServerEngine,
): Promise<ClosedDatabase> {
  const tls = tlsOptions(address);
  const { faultOf: engineFault } = engine;
  const meansLost = (error: unknown) => engineFault(error) === 'gone';
  const meansOutdated = (error: unknown) => {
    const fault = engineFault(error);
    return fault !== undefined && OF_SESSIONS.has(fault);
  };
  let closed = false;
  let refusal: StorageUnavailable | undefined = new StorageUnavailable('opening', { cause: undefined });
  const faultOf: SqlDialect['faultOf'] = (error) => (closed ? 'closed' : engineFault(error));
  let dialect: SqlDialect = { ...engine.dialectOf(''), faultOf };
  let unsuited: string | undefined;
  const drivers = new Set<ServerDriver>();
  const open = (limitsOfPool: ServerLimits, isGuarded: boolean) => {
    const pool = new LendingPool(engine.openPool(address, tls, limitsOfPool), limitsOfPool.poolSize);
    const options = { limitMs: limitsOfPool.timeoutMs, meansLost, meansOutdated };
    const guard = isGuarded ? { refusal: () => refusal } : {};
    const driver = new ServerDriver(pool, { ...options, ...guard });
    drivers.add(driver);
    return {
      pool,
      driver,
      kysely: new Kysely<Tables>({ dialect: { ...engine.kysely, createDriver: () => driver } }),
    };
  };
  /** Work on a connection of its own, which the guard does not hold back. */
  const apart = async <T>(limitsOfPool: ServerLimits, work: (own: Kysely<Tables>) => Promise<T>) => {
    const own = open(limitsOfPool, false);
    try {
      return await work(own.kysely);
    } finally {
      drivers.delete(own.driver);
      await own.driver.destroy();
    }
  };
  const { kysely, driver, pool } = open(limits, true);
  const call = <T>(work: () => Promise<T>) => storageCall({ dialect: { faultOf } }, work);
  return {
    kysely,
    get dialect() {
      return dialect;
    },
    contact: () =>
      call(async () => {
        const identity = await apart({ ...limits, poolSize: 1 }, (own) =>
          firstContact(own, engine.identity, faultOf),
        );
        dialect = { ...engine.dialectOf(identity), faultOf };
        unsuited = engine.unsuited(identity);
      }),
    refuse: (why) => {
      refusal = why;
    },
    admit: () => {
      refusal = undefined;
    },
    writes: new WriteGuard(() => undefined),
    loss: () => undefined,
    shortage: () => pool.shortage,
    // What a server has no room for only shows where it is needed.
    proveWriting: async () => {},
    read: (query) => driver.read(query),
    migrating: async (work) => {
      if (unsuited !== undefined) throw new DatabaseUrlError(unsuited);
      return apart(MIGRATION_LIMITS, work);
    },
    close: async () => {
      closed = true;
      await Promise.all([...drivers].map((each) => each.destroy()));
    },
  };
}

/** Of a name that does not exist: https://nodejs.org/api/dns.html#error-codes; a name server that is away says otherwise. */
function isUnknownHost(error: unknown): boolean {
  return errorCode(error) === 'ENOTFOUND';
}

function told(text: string, words: string | undefined): string {
  return words === undefined ? text : `${text}: ${words}`;
}

/**
 * Asks the server what it is: what `expression`, SQL without parameters, gives. What the operator has to set right
 * becomes a fault of the address; a server that is away for now does not.
 */
async function firstContact(
  kysely: Kysely<Tables>,
  expression: string,
  faultOf: SqlDialect['faultOf'],
): Promise<string> {
  try {
    const { rows } = await sql<{ answer: string }>`select ${sql.raw(expression)} as answer`.execute(kysely);
    return rows[0]?.answer ?? '';
  } catch (error) {
    const cause = { cause: error };
    if (isUnknownHost(error)) throw new DatabaseUrlError('there is no host of this name', cause);
    const words = driverWords(error);
    switch (faultOf(error)) {
      case 'refused':
        throw new DatabaseUrlError(told('the server refuses this user, password or database', words), cause);
      case 'untrusted':
        throw new DatabaseUrlError(
          told('no trusted encrypted connection to the server; look at sslmode and sslrootcert', words),
          cause,
        );
      case undefined:
        throw new DatabaseUrlError(told('the server cannot be used', words), cause);
      default:
        throw error;
    }
  }
}
