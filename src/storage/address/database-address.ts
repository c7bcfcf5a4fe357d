import { isIP } from 'node:net';
import { resolve } from 'node:path';
import { type DatabaseOptions, readDatabaseOptions } from './database-options.ts';
import { type DatabaseTls, tlsOf } from './database-tls.ts';

/** Where a database server is and how to connect to it, read from an address. Files are not looked at. */
export interface DatabaseAddress extends DatabaseTls {
  readonly engine: 'postgres' | 'mysql';
  /** Empty where `socket` is the way. */
  readonly host: string;
  /** Path of a Unix socket: PostgreSQL's directory, MySQL's file. */
  readonly socket: string | undefined;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
  readonly session: DatabaseOptions['session'];
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

const EXAMPLE = 'postgres://user:password@host:5432/database or mysql://user:password@host:3306/database';

/** Whether the text looks like the address of a database server that this program knows. */
export function isServerAddress(text: string): boolean {
  return /^(postgres(ql)?|mysql|mariadb):/i.test(text);
}

/**
 * The database at `url` as a person may read it: a file with its whole path, a server without password and options. What
 * cannot be read is not quoted, because a password may be anywhere in it.
 */
export function shownDatabase(url: string): string {
  if (!isServerAddress(url)) {
    const path = /^sqlite:(.+)$/is.exec(url)?.[1];
    if (path === undefined) return '(unreadable address)';
    return path === ':memory:' ? 'sqlite::memory:' : `sqlite:${resolve(path)}`;
  }
  const reading = readDatabaseAddress(url);
  if (!reading.ok) return '(unreadable address)';
  const { engine, user, host, port, database, socket } = reading.address;
  if (socket !== undefined)
    return `${engine}://${user}@/${database}?${engine === 'mysql' ? 'socket' : 'host'}=${socket}`;
  return `${engine}://${user}@${host.includes(':') ? `[${host}]` : host}:${port}/${database}`;
}

/** Without a host `URL` takes no user; the options of the address name a host or a socket then. */
const NO_HOST = /^([a-z]+:\/\/[^/?#]*@)(?=[/?])/i;

/** Reads the address of a PostgreSQL, MySQL or MariaDB database. Pure; a problem never quotes the address. */
export function readDatabaseAddress(text: string): AddressReading {
  const isHostless = NO_HOST.test(text.trim());
  const url = URL.parse(isHostless ? text.trim().replace(NO_HOST, '$1nowhere') : text);
  const engine = url === null ? undefined : ENGINES[url.protocol];
  if (url === null || engine === undefined || url.hostname === '' || !isEncoded(url)) {
    return refuse(
      misreadServers(text) ?? `must be ${EXAMPLE}, with characters such as @ : / ? # % in it percent-encoded`,
    );
  }
  const names = namesOf(url);
  if (names === undefined)
    return refuse('holds a % that is not the beginning of a percent-encoded character');
  const { database, host: written } = names;
  if (database === '' || database.includes('/')) return refuse(`names no database; write ${EXAMPLE}`);
  const options = readDatabaseOptions(engine.engine, url.searchParams);
  if ('problem' in options) return refuse(options.problem);
  if (
    (options.user !== undefined && names.user !== '') ||
    (options.password !== undefined && names.password !== '')
  )
    return refuse('has a user or password before the host and another as an option; leave out one of them');
  const user = options.user ?? names.user;
  const password = options.password ?? names.password;
  if (user === '') return refuse(`names no user; write ${EXAMPLE}`);
  if (/^(?:\$?\{|\[|<).*pass.*[\]>}]$/i.test(password))
    return refuse('has a placeholder in place of the password');
  if (options.host?.includes(',') === true) return refuse(SEVERAL);
  const place = options.host ?? (isHostless ? '' : written);
  if (options.socket === undefined && place === '') return refuse(`names no host; write ${EXAMPLE}`);
  const socket = options.socket ?? (place.startsWith('/') ? place : undefined);
  const host = socket === undefined ? place.replace(/^\[(.*)\]$/, '$1') : '';
  const tls = tlsOf(url.searchParams);
  if ('problem' in tls) return refuse(tls.problem);
  if (socket !== undefined && tls.tls !== 'off')
    return refuse('asks for encryption on a Unix socket, which has none; leave out sslmode= and the like');
  // mysql2 compares the certificate with a name only.
  if (engine.engine === 'mysql' && tls.tls === 'verify-full' && isIP(host) !== 0) {
    return refuse(
      'has an IP address as host, which sslmode=verify-full cannot verify for MySQL; write a host name',
    );
  }
  const port = options.port ?? (url.port === '' ? engine.port : Number(url.port));
  const { session } = options;
  return {
    ok: true,
    address: { ...tls, user, password, database, engine: engine.engine, host, socket, port, session },
  };
}

function refuse(problem: string): AddressReading {
  return { ok: false, problem };
}

const SEVERAL =
  'names several hosts; write the one of the server that takes changes, or of a proxy before them';

/** What is wrong with the part between user and path; undefined where an unencoded character may be the reason. */
function misreadServers(text: string): string | undefined {
  const [, authority = '', rest = ''] = /^[a-z]+:\/\/([^/?#]*)(.*)$/is.exec(text.trim()) ?? [];
  if (rest.includes('@')) return undefined;
  const servers = authority.slice(authority.lastIndexOf('@') + 1);
  if (servers.includes(',')) return SEVERAL;
  return /^(?:[\w.-]+|\[[\da-f:.]+\]):[^:@]+$/i.test(servers) && authority.includes('@')
    ? 'has a port that is not a number from 0 to 65535'
    : undefined;
}

/** What follows the first of several `@` may be the rest of a password. */
function isEncoded({ hash, pathname }: URL): boolean {
  return hash === '' && !pathname.includes('@');
}

function namesOf(url: URL): Pick<DatabaseAddress, 'user' | 'password' | 'database' | 'host'> | undefined {
  try {
    return {
      user: decodeURIComponent(url.username),
      password: decodeURIComponent(url.password),
      database: decodeURIComponent(url.pathname.slice(1)),
      // A percent-encoded path is a Unix socket, as for libpq.
      host: decodeURIComponent(url.hostname),
    };
  } catch {
    return undefined;
  }
}
