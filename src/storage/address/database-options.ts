import { closeName } from '../../lib/close-name.ts';

type Engine = 'postgres' | 'mysql';

/** What the options of a database's address say besides TLS. */
export interface DatabaseOptions {
  readonly host: string | undefined;
  readonly port: number | undefined;
  readonly socket: string | undefined;
  /** What a PostgreSQL session begins with; undefined where the address says nothing. */
  readonly user: string | undefined;
  readonly password: string | undefined;
  readonly session: {
    readonly applicationName: string | undefined;
    /** `-c name=value` and the like. */
    readonly options: string | undefined;
    /** Whether SCRAM is to be bound to the TLS connection where the server can. */
    readonly bindsChannel: boolean;
  };
}

const TLS = ['sslmode', 'ssl-mode', 'ssl', 'sslaccept', 'sslrootcert', 'sslcert', 'sslkey'];
const SOCKET = ['socket', 'socketPath', 'unix_socket'];
const CHARSET = ['charset', 'encoding', 'client_encoding'];
/** Of https://www.prisma.io/docs/orm/overview/databases/postgresql; `DATABASE_POOL_SIZE` is the number of connections. */
const PRISMA = ['connection_limit', 'pool_timeout', 'pgbouncer'];
/** `connect_timeout` and the keepalives are set by this service itself: a call does not wait longer for a server that says so. */
const SHARED = [...TLS, ...CHARSET, 'connect_timeout', 'user', 'password', ...PRISMA];
/** Of https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-PARAMKEYWORDS. */
const POSTGRES = [
  ...['host', 'port', 'application_name', 'fallback_application_name', 'options', 'channel_binding'],
  // Without effect: the server takes the usual negotiation too, our words have the meaning of libpq, and tables are in the search path.
  ...['sslnegotiation', 'uselibpqcompat', 'schema'],
  ...['target_session_attrs', 'keepalives', 'keepalives_idle', 'keepalives_interval', 'keepalives_count'],
];
const KNOWN: Readonly<Record<Engine, readonly string[]>> = {
  postgres: [...SHARED, ...POSTGRES],
  mysql: [...SHARED, ...SOCKET],
};

/** Reads the options of an address; a problem names an option, never its value. */
export function readDatabaseOptions(
  engine: Engine,
  query: URLSearchParams,
): DatabaseOptions | { readonly problem: string } {
  const known = KNOWN[engine];
  for (const name of new Set(query.keys())) {
    if (!known.includes(name)) return { problem: unknown(name, known) };
    if (query.getAll(name).length > 1) return { problem: `has the option ${name}= twice` };
  }
  const first = (names: readonly string[]) =>
    names.map((name) => query.get(name)).find((value) => value !== null);
  for (const [name, harmless] of HARMLESS) {
    const value = query.get(name);
    if (value !== null && !harmless.test(value))
      return {
        problem: `has the option ${name}= with a value that this service does not know; leave it out`,
      };
  }
  const charset = first(CHARSET);
  if (charset !== undefined && charset !== null && !/^utf-?8/i.test(charset))
    return { problem: 'asks for another character set than UTF-8, which this service needs; leave it out' };
  if (/^(?:read-only|standby)$/.test(query.get('target_session_attrs') ?? ''))
    return {
      problem: 'asks with target_session_attrs= for a server that takes no changes; this service writes',
    };
  const port = query.get('port');
  if (port !== null && !(/^\d{1,5}$/.test(port) && Number(port) >= 1 && Number(port) <= 65_535))
    return { problem: 'needs a port= from 1 to 65535' };
  const socket = first(SOCKET) ?? undefined;
  if (socket !== undefined && !socket.startsWith('/'))
    return { problem: 'needs the whole path of the Unix socket, such as socket=/run/mysqld/mysqld.sock' };
  return {
    host: query.get('host') ?? undefined,
    port: port === null ? undefined : Number(port),
    socket,
    user: query.get('user') ?? undefined,
    password: query.get('password') ?? undefined,
    session: {
      applicationName: query.get('application_name') ?? undefined,
      options: query.get('options') ?? undefined,
      bindsChannel: /^(?:prefer|require)$/.test(query.get('channel_binding') ?? ''),
    },
  };
}

/** Options without effect, and those of their values that ask for nothing else than what happens anyhow. */
const HARMLESS: readonly (readonly [string, RegExp])[] = [
  ['schema', /^public$/],
  ['sslnegotiation', /^(?:postgres|direct)$/],
  ['uselibpqcompat', /^true$/],
];

/** What does not look like a name may be a part of a password. */
function unknown(name: string, known: readonly string[]): string {
  if (!/^[A-Za-z][A-Za-z_.-]{0,40}$/.test(name)) return 'has an unknown option; leave it out';
  const meant = closeName(name, known);
  return `has the unknown option ${name}=; ${meant === undefined ? 'leave it out' : `write ${meant}=, or leave it out`}`;
}
