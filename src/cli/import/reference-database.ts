import { type RawBuilder, sql } from 'kysely';
import { readDatabaseAddress } from '../../storage/address/database-address.ts';
import { DatabaseUrlError } from '../../storage/database-url-error.ts';
import { openDatabase } from '../../storage/open-database.ts';
import type { ServerLimits } from '../../storage/server/server-limits.ts';
import { storageCall } from '../../storage/storage-call.ts';
import { StorageUnavailable } from '../../storage/storage-unavailable.ts';
import { CommandFailed } from '../kit/command-context.ts';

/** A row as the database gave it: another program wrote it, so nothing is certain of its values. */
export type ReferenceRow = Readonly<Record<string, unknown>>;

/** The tables of the reference, a page at a time; only ever read. Methods reject with `CommandFailed`. */
export interface ReferenceDatabase {
  /** Rows of `app_app` with an id above `after`. */
  apps(after: number): Promise<readonly ReferenceRow[]>;
  /** Rows of `app_device` behind the account `after` in the order of the database; the first ones for undefined. */
  devices(after: string | undefined): Promise<readonly ReferenceRow[]>;
  /** Rows of `app_responselog` with an id above `after`, older than a minute. */
  responseLogs(after: number): Promise<readonly ReferenceRow[]>;
  close(): Promise<void>;
}

/** Rows read at once. */
const REFERENCE_PAGE = 500;
/** One connection: the reference is at work meanwhile. */
const LIMITS: ServerLimits = { poolSize: 1, timeoutMs: 60_000 };

/** MySQL's and MariaDB's number for a table, and for a column, that does not exist. */
const NO_SUCH_TABLE = 1146;
const NO_SUCH_COLUMN = 1054;

/** Django keeps UTC without a zone (the reference has USE_TZ off, TIME_ZONE UTC); the session's zone must not matter. */
function microseconds(column: string): RawBuilder<unknown> {
  return sql`timestampdiff(microsecond, '1970-01-01 00:00:00', ${sql.ref(column)})`;
}

const APP_COLUMNS = sql`id, platform, app_id, push_key`;
const DEVICE_COLUMNS = sql`sip_user_id, name, os_version, client_version, token, sandbox, app_id, remote_logging_id, ${microseconds('last_seen')} as last_seen`;
const LOG_COLUMNS = sql`id, platform, roundtrip_time, available, ${microseconds('date')} as date`;

function errnoOf(error: unknown): number {
  return error instanceof Error && 'errno' in error && typeof error.errno === 'number' ? error.errno : 0;
}

function failure(error: unknown): unknown {
  const cause = { cause: error };
  if (error instanceof DatabaseUrlError)
    return new CommandFailed(`The address of the reference database: ${error.problem}`, 2, cause);
  if (error instanceof StorageUnavailable)
    return new CommandFailed(`The reference database: ${error.detail}.`, 1, cause);
  switch (errnoOf(error)) {
    case NO_SUCH_TABLE:
      return new CommandFailed(
        'The database at --from has no tables app_app, app_device and app_responselog: it is not that of the reference.',
        2,
        cause,
      );
    case NO_SUCH_COLUMN:
      return new CommandFailed(
        'The reference database lacks a column: bring the reference to its last version (manage.py migrate) first.',
        2,
        cause,
      );
    default:
      return error;
  }
}

async function told<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw failure(error);
  }
}

/** Connects to the reference's MySQL or MariaDB database. Rejects with `CommandFailed`, which quotes nothing of `url`. */
export async function openReference(url: string): Promise<ReferenceDatabase> {
  const reading = readDatabaseAddress(url);
  if (reading.ok && reading.address.engine !== 'mysql')
    throw new CommandFailed('The reference database must be mysql://user:password@host:3306/database.', 2);
  const database = await told(() => openDatabase(url.trim(), LIMITS));

  /** A transaction for each page, so that the reference's database need not keep old rows for us. */
  const page = (query: RawBuilder<ReferenceRow>): Promise<readonly ReferenceRow[]> =>
    told(() =>
      storageCall(database, () =>
        database.kysely.connection().execute(async (connection) => {
          await sql`start transaction read only`.execute(connection);
          const { rows } = await query.execute(connection);
          await sql`commit`.execute(connection);
          return rows;
        }),
      ),
    );
  return {
    apps: (after) =>
      page(sql`select ${APP_COLUMNS} from app_app where id > ${after} order by id limit ${REFERENCE_PAGE}`),
    devices: (after) => {
      const behind = after === undefined ? sql`` : sql`where sip_user_id > ${after}`;
      return page(
        sql`select ${DEVICE_COLUMNS} from app_device ${behind} order by sip_user_id limit ${REFERENCE_PAGE}`,
      );
    },
    // The reference's health check writes a row and deletes it at once, every ten seconds.
    responseLogs: (after) =>
      page(
        sql`select ${LOG_COLUMNS} from app_responselog where id > ${after} and date < utc_timestamp() - interval 1 minute order by id limit ${REFERENCE_PAGE}`,
      ),
    close: () => database.close(),
  };
}
