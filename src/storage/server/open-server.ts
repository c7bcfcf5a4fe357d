import { type Dialect, Kysely, sql } from 'kysely';
import type { DatabaseAddress } from '../../lib/database-address.ts';
import type { Database, SqlDialect } from '../database.ts';
import { DatabaseUrlError } from '../database-url-error.ts';
import { storageCall } from '../storage-call.ts';
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

/** What the operator has to set right becomes a fault of the address; a server that is away for now does not. */
const firstContact = async (kysely: Kysely<Tables>, faultOf: SqlDialect['faultOf']): Promise<string> => {
  try {
    const { rows } = await sql<{ version: string }>`select version() as version`.execute(kysely);
    return rows[0]?.version ?? '';
  } catch (error) {
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

/** Opens a database on a server and asks it once. Rejects with `DatabaseUrlError` or `StorageUnavailable`. */
export const openServer = async (
  address: DatabaseAddress,
  limits: ServerLimits,
  engine: ServerEngine,
): Promise<Database> => {
  const tls = await tlsOptions(address);
  const open = (limitsOfPool: ServerLimits): Kysely<Tables> => {
    const pool = engine.openPool(address, tls, limitsOfPool);
    const createDriver = () => new ServerDriver(pool, limitsOfPool.timeoutMs);
    return new Kysely<Tables>({ dialect: { ...engine.kysely, createDriver } });
  };
  const kysely = open(limits);
  let closed = false;
  const faultOf: SqlDialect['faultOf'] = (error) => (closed ? 'closed' : engine.faultOf(error));
  const call = <T>(work: () => Promise<T>) => storageCall({ dialect: { faultOf } }, work);
  try {
    const version = await call(() => firstContact(kysely, faultOf));
    return {
      kysely,
      dialect: { ...engine.dialectOf(version), faultOf },
      ping: () => call(async () => void (await sql`select account from devices limit 1`.execute(kysely))),
      migrating: async (work) => {
        const patient = open(MIGRATION_LIMITS);
        try {
          return await work(patient);
        } finally {
          await patient.destroy();
        }
      },
      close: async () => {
        closed = true;
        await kysely.destroy();
      },
    };
  } catch (error) {
    await kysely.destroy();
    throw error;
  }
};
