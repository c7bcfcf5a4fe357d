import { isIP } from 'node:net';
import { resolve } from 'node:path';

/** How far the connection to a database server is protected. */
export type TlsMode = 'off' | 'encrypt' | 'verify-ca' | 'verify-full';

/** Where a database server is and how to connect to it, read from an address. Files are not looked at. */
export interface DatabaseAddress {
  readonly engine: 'postgres' | 'mysql';
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
  readonly tls: TlsMode;
  /** Paths of PEM files; undefined where the address names none. */
  readonly caFile: string | undefined;
  readonly certFile: string | undefined;
  readonly keyFile: string | undefined;
}

/** An address that could be read, or why not, in words that quote nothing of it. */
export type AddressReading =
  | { readonly ok: true; readonly address: DatabaseAddress }
  | { readonly ok: false; readonly problem: string };

const ENGINES: Readonly<Record<string, { engine: DatabaseAddress['engine']; port: number }>> = {
  'postgres:': { engine: 'postgres', port: 5432 },
  'postgresql:': { engine: 'postgres', port: 5432 },
  'mysql:': { engine: 'mysql', port: 3306 },
  'mariadb:': { engine: 'mysql', port: 3306 },
};

/**
 * Words of https://www.postgresql.org/docs/current/libpq-ssl.html and of
 * https://dev.mysql.com/doc/refman/8.4/en/connection-options.html#option_general_ssl-mode, in lower case. Those that
 * fall back to an unencrypted connection (`allow`, `prefer`) are left out: who asks for TLS must get it.
 */
const TLS_MODES: Readonly<Record<string, TlsMode>> = {
  disable: 'off',
  disabled: 'off',
  require: 'encrypt',
  required: 'encrypt',
  'verify-ca': 'verify-ca',
  verify_ca: 'verify-ca',
  'verify-full': 'verify-full',
  verify_identity: 'verify-full',
};

const SSL_WORDS: Readonly<Record<string, TlsMode>> = {
  true: 'verify-full',
  '1': 'verify-full',
  false: 'off',
  '0': 'off',
};

const OPTIONS: ReadonlySet<string> = new Set(['sslmode', 'ssl', 'sslrootcert', 'sslcert', 'sslkey']);

const EXAMPLE = 'postgres://user:password@host:5432/database or mysql://user:password@host:3306/database';

/** Whether the text looks like the address of a database server that this program knows. */
export const isServerAddress = (text: string): boolean => /^(postgres(ql)?|mysql|mariadb):/i.test(text);

/**
 * The database at `url` as a person may read it: a file with its whole path, a server without password and options. What
 * cannot be read is not quoted, because a password may be anywhere in it.
 */
export const shownDatabase = (url: string): string => {
  if (!isServerAddress(url)) {
    const path = /^sqlite:(.+)$/is.exec(url)?.[1];
    if (path === undefined) return '(unreadable address)';
    return path === ':memory:' ? 'sqlite::memory:' : `sqlite:${resolve(path)}`;
  }
  const reading = readDatabaseAddress(url);
  if (!reading.ok) return '(unreadable address)';
  const { engine, user, host, port, database } = reading.address;
  return `${engine}://${user}@${host.includes(':') ? `[${host}]` : host}:${port}/${database}`;
};

/** Reads the address of a PostgreSQL, MySQL or MariaDB database. Pure; a problem never quotes the address. */
export const readDatabaseAddress = (text: string): AddressReading => {
  const url = URL.parse(text);
  const engine = url === null ? undefined : ENGINES[url.protocol];
  if (url === null || engine === undefined || url.hostname === '' || url.hash !== '') {
    return refuse(`must be ${EXAMPLE}, with characters such as @ : / ? # % in it percent-encoded`);
  }
  const names = namesOf(url);
  if (names === undefined)
    return refuse('holds a % that is not the beginning of a percent-encoded character');
  const { user, database } = names;
  if (user === '') return refuse(`names no user; write ${EXAMPLE}`);
  if (database === '' || database.includes('/')) return refuse(`names no database; write ${EXAMPLE}`);
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  const tls = tlsOf(url.searchParams);
  if ('problem' in tls) return refuse(tls.problem);
  // mysql2 compares the certificate with a name only.
  if (engine.engine === 'mysql' && tls.tls === 'verify-full' && isIP(host) !== 0) {
    return refuse(
      'has an IP address as host, which sslmode=verify-full cannot verify for MySQL; write a host name',
    );
  }
  const port = url.port === '' ? engine.port : Number(url.port);
  return { ok: true, address: { ...names, ...tls, engine: engine.engine, host, port } };
};

const refuse = (problem: string): AddressReading => ({ ok: false, problem });

const namesOf = (url: URL): Pick<DatabaseAddress, 'user' | 'password' | 'database'> | undefined => {
  try {
    return {
      user: decodeURIComponent(url.username),
      password: decodeURIComponent(url.password),
      database: decodeURIComponent(url.pathname.slice(1)),
    };
  } catch {
    return undefined;
  }
};

type Tls = Pick<DatabaseAddress, 'tls' | 'caFile' | 'certFile' | 'keyFile'>;

const tlsOf = (query: URLSearchParams): Tls | { readonly problem: string } => {
  if ([...query.keys()].some((name) => !OPTIONS.has(name))) {
    return { problem: `has an option that is not known; known are ${[...OPTIONS].join(', ')}` };
  }
  const files = {
    caFile: query.get('sslrootcert') ?? undefined,
    certFile: query.get('sslcert') ?? undefined,
    keyFile: query.get('sslkey') ?? undefined,
  };
  if ((files.certFile === undefined) !== (files.keyFile === undefined))
    return { problem: 'needs both sslcert= and sslkey=, or neither' };
  const [mode, ssl] = [query.get('sslmode'), query.get('ssl')];
  if (mode !== null && ssl !== null) return { problem: 'has both sslmode= and ssl=; write one of them' };
  if (mode === null && ssl === null) {
    // A file of certificates without a mode would otherwise silently mean no encryption.
    if (files.caFile !== undefined) return { ...files, tls: 'verify-full' };
    return files.certFile === undefined
      ? { ...files, tls: 'off' }
      : { problem: 'has sslcert= without sslmode=; write for example sslmode=verify-full' };
  }
  const tls = mode === null ? SSL_WORDS[ssl ?? ''] : TLS_MODES[mode.toLowerCase()];
  if (tls === undefined) {
    return {
      problem: 'needs sslmode= one of disable, require, verify-ca, verify-full, or ssl= true or false',
    };
  }
  if (tls === 'off' && (files.caFile ?? files.certFile) !== undefined) {
    return { problem: 'asks for no encryption and yet has sslrootcert= or sslcert=; leave out one of them' };
  }
  // As libpq does, https://www.postgresql.org/docs/current/libpq-ssl.html: an authority is not named for nothing.
  return { ...files, tls: tls === 'encrypt' && files.caFile !== undefined ? 'verify-ca' : tls };
};
