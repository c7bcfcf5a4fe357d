type Engine = 'postgres' | 'mysql';

/** What the options of a database's address say besides TLS. */
export interface DatabaseOptions {
  readonly host: string | undefined;
  readonly port: number | undefined;
  readonly socket: string | undefined;
  /** What a PostgreSQL session begins with; undefined where the address says nothing. */
  readonly session: {
    readonly applicationName: string | undefined;
    /** `-c name=value` and the like. */
    readonly options: string | undefined;
    /** Whether SCRAM is to be bound to the TLS connection where the server can. */
    readonly bindsChannel: boolean;
  };
}

const TLS = ['sslmode', 'ssl-mode', 'ssl', 'sslrootcert', 'sslcert', 'sslkey'];
const SOCKET = ['socket', 'socketPath', 'unix_socket'];
const CHARSET = ['charset', 'encoding', 'client_encoding'];
/** `connect_timeout` and the keepalives are set by this service itself: a call does not wait longer for a server that says so. */
const SHARED = [...TLS, ...CHARSET, 'connect_timeout'];
/** Of https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-PARAMKEYWORDS. */
const POSTGRES = [
  ...['host', 'port', 'application_name', 'fallback_application_name', 'options', 'channel_binding'],
  ...['target_session_attrs', 'keepalives', 'keepalives_idle', 'keepalives_interval', 'keepalives_count'],
];
const KNOWN: Readonly<Record<Engine, readonly string[]>> = {
  postgres: [...SHARED, ...POSTGRES],
  mysql: [...SHARED, ...SOCKET],
};

/** Reads the options of an address; a problem names an option, never its value. */
export const readDatabaseOptions = (
  engine: Engine,
  query: URLSearchParams,
): DatabaseOptions | { readonly problem: string } => {
  const known = KNOWN[engine];
  for (const name of new Set(query.keys())) {
    if (!known.includes(name)) return { problem: `${unknown(name)}; known are ${known.join(', ')}` };
    if (query.getAll(name).length > 1) return { problem: `has the option ${name}= twice` };
  }
  const first = (names: readonly string[]) =>
    names.map((name) => query.get(name)).find((value) => value !== null);
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
    session: {
      applicationName: query.get('application_name') ?? undefined,
      options: query.get('options') ?? undefined,
      bindsChannel: /^(?:prefer|require)$/.test(query.get('channel_binding') ?? ''),
    },
  };
};

/** What does not look like a name may be a part of a password. */
const unknown = (name: string): string =>
  /^[A-Za-z][A-Za-z_.-]{0,40}$/.test(name) ? `has the unknown option ${name}=` : 'has an unknown option';
