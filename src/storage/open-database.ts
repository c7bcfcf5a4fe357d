import { isServerAddress, readDatabaseAddress } from './address/database-address.ts';
import type { ClosedDatabase, Database } from './database.ts';
import { DatabaseUrlError } from './database-url-error.ts';
import { SERVICE_LIMITS, type ServerLimits } from './server/server-limits.ts';
import { openSqlite } from './sqlite/open-sqlite.ts';

const EXAMPLE = 'write for example sqlite:data/middleware.db or postgres://user:password@host/database';

function sqlitePath(rest: string): string {
  if (rest.trim() === '') throw new DatabaseUrlError(`names no file; ${EXAMPLE}`);
  if (rest.startsWith('//')) {
    throw new DatabaseUrlError(
      'write sqlite:data/middleware.db or sqlite:/var/lib/middleware.db, without two slashes',
    );
  }
  if (rest.includes('\0')) throw new DatabaseUrlError('contains a NUL character');
  return rest;
}

/**
 * Prepares the database on a server at `url`, to which `limits` apply, without asking it anything. Its driver is loaded
 * when it is used: a command on SQLite starts faster. Rejects with `DatabaseUrlError`.
 */
export async function prepareServerDatabase(url: string, limits: ServerLimits): Promise<ClosedDatabase> {
  const reading = readDatabaseAddress(url);
  if (!reading.ok) throw new DatabaseUrlError(reading.problem);
  const { address } = reading;
  switch (address.engine) {
    case 'postgres':
      return (await import('./postgres/open-postgres.ts')).openPostgres(address, limits);
    case 'mysql':
      return (await import('./mysql/open-mysql.ts')).openMysql(address, limits);
    default:
      return address.engine satisfies never;
  }
}

async function openServerDatabase(url: string, limits: ServerLimits): Promise<Database> {
  const database = await prepareServerDatabase(url, limits);
  try {
    await database.contact();
    database.admit();
    return database;
  } catch (error) {
    await database.close();
    throw error;
  }
}

/**
 * Opens the database at `url`: `sqlite:PATH`, relative to the working directory, `sqlite::memory:`, or a database on a
 * server (`postgres://`, `mysql://`), to which `limits` apply. A missing file is made with `create`, and is else
 * `DatabaseMissing`. Rejects with `DatabaseUrlError`, whose message never quotes more than the scheme or the path of a
 * file, or with `StorageUnavailable` where a server cannot be reached.
 */
export async function openDatabase(
  url: string,
  limits: ServerLimits = SERVICE_LIMITS,
  { create = true }: { readonly create?: boolean } = {},
): Promise<Database> {
  if (isServerAddress(url)) return openServerDatabase(url, limits);
  const colon = url.indexOf(':');
  // What comes before a missing colon may be anything, a password included.
  if (colon < 1) throw new DatabaseUrlError(`has no scheme; ${EXAMPLE}`);
  const scheme = url.slice(0, colon).toLowerCase();
  if (scheme === 'sqlite') return openSqlite(sqlitePath(url.slice(colon + 1)), { create });
  const shown = /^[a-z][a-z0-9+.-]{0,20}$/.test(scheme) ? ` "${scheme}"` : '';
  throw new DatabaseUrlError(`the scheme${shown} is not supported; ${EXAMPLE}`);
}
