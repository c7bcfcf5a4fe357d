import { readFileSync } from 'node:fs';
import type { DatabaseAddress } from '../address/database-address.ts';
import { readDatabaseTlsFiles } from '../address/database-tls-files.ts';
import { DatabaseUrlError } from '../database-url-error.ts';

/** What both drivers hand on to `node:tls`. */
export interface TlsOptions {
  readonly rejectUnauthorized: boolean;
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

/** The address's files and wishes; undefined where the connection is not encrypted. Throws `DatabaseUrlError`. */
export function tlsOptions(address: DatabaseAddress): TlsOptions | undefined {
  if (address.tls === 'off') return undefined;
  const files = readDatabaseTlsFiles(address, (path) => readFileSync(path, 'utf8'));
  if (!files.ok) throw new DatabaseUrlError(files.problem);
  const { ca, cert, key } = files;
  return {
    rejectUnauthorized: address.tls !== 'encrypt',
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
  };
}
