import { readFile } from 'node:fs/promises';
import type { DatabaseAddress } from '../../lib/database-address.ts';
import { readCertificates } from '../../lib/read-certificates.ts';
import { readPrivateKey } from '../../lib/read-private-key.ts';
import { DatabaseUrlError } from '../database-url-error.ts';

const readText = async (option: string, path: string): Promise<string> => {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable';
    throw new DatabaseUrlError(`${option} names ${path}, which cannot be read (${code})`, { cause: error });
  }
};

const readPem = async (
  option: 'sslrootcert' | 'sslcert' | 'sslkey',
  path: string | undefined,
): Promise<string | undefined> => {
  if (path === undefined) return undefined;
  const text = await readText(option, path);
  const reading = option === 'sslkey' ? readPrivateKey(text) : readCertificates(text);
  if (reading.ok) return reading.pem;
  throw new DatabaseUrlError(`${option} names ${path}, which ${reading.problem}`);
};

/** What both drivers hand on to `node:tls`. */
export interface TlsOptions {
  readonly rejectUnauthorized: boolean;
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

/** The address's files and wishes; undefined where the connection is not encrypted. Rejects with `DatabaseUrlError`. */
export const tlsOptions = async (address: DatabaseAddress): Promise<TlsOptions | undefined> => {
  if (address.tls === 'off') return undefined;
  const ca = await readPem('sslrootcert', address.caFile);
  const cert = await readPem('sslcert', address.certFile);
  const key = await readPem('sslkey', address.keyFile);
  return {
    rejectUnauthorized: address.tls !== 'encrypt',
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
  };
};
