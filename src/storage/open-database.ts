import type { Database } from './database.ts';
import { DatabaseUrlError } from './database-url-error.ts';
import { openSqlite } from './sqlite/open-sqlite.ts';

const EXAMPLE = 'write for example sqlite:data/middleware.db';

const sqlitePath = (rest: string): string => {
  if (rest.trim() === '') throw new DatabaseUrlError(`names no file; ${EXAMPLE}`);
  if (rest.startsWith('//')) {
    throw new DatabaseUrlError(
      'write sqlite:data/middleware.db or sqlite:/var/lib/middleware.db, without two slashes',
    );
  }
  if (rest.includes('\0')) throw new DatabaseUrlError('contains a NUL character');
  return rest;
};

/**
 * Opens the database at `url`: `sqlite:PATH`, relative to the working directory and created where missing, or
 * `sqlite::memory:`. Rejects with `DatabaseUrlError` whose message never quotes more than the scheme or the path.
 */
export const openDatabase = async (url: string): Promise<Database> => {
  const colon = url.indexOf(':');
  // What comes before a missing colon may be anything, a password included.
  if (colon < 1) throw new DatabaseUrlError(`has no scheme; ${EXAMPLE}`);
  const scheme = url.slice(0, colon).toLowerCase();
  if (scheme === 'sqlite') return openSqlite(sqlitePath(url.slice(colon + 1)));
  const shown = /^[a-z][a-z0-9+.-]{0,20}$/.test(scheme) ? ` "${scheme}"` : '';
  throw new DatabaseUrlError(`the scheme${shown} is not supported; ${EXAMPLE}`);
};
