import { isIP } from 'node:net';

/** Where a server listens. */
export interface HostPort {
  readonly host: string;
  readonly port: number;
}

/** One server, by its address or by the path of its Unix socket. */
export type RedisServer = HostPort | { readonly path: string };

/** Which Redis: one server, the master that Sentinels name, or a Cluster found from any of its servers. */
export type RedisPlace =
  | { readonly kind: 'single'; readonly server: RedisServer; readonly database: number }
  | {
      readonly kind: 'sentinel';
      readonly sentinels: readonly HostPort[];
      readonly master: string;
      readonly database: number;
    }
  | { readonly kind: 'cluster'; readonly servers: readonly HostPort[] };

/** Which Redis, and as whom. */
export interface RedisAddress {
  readonly place: RedisPlace;
  /** Undefined: Redis' `default` user. */
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly tls: boolean;
}

/** All that is to be known of Redis. */
export interface RedisSettings extends RedisAddress {
  /** PEM text of the certificate authority to trust instead of the usual ones. */
  readonly ca: string | undefined;
  /** Milliseconds for one command. */
  readonly timeoutMs: number;
  /** Whether calls are refused while Redis is away. */
  readonly required: boolean;
  /** The login of the Sentinels, if they have one of their own. */
  readonly sentinelLogin?: { readonly username: string | undefined; readonly password: string } | undefined;
  /** Begins every key and channel. */
  readonly prefix: string;
}

/** An address that could be read, or why not, in words that quote nothing of it. */
export type RedisAddressReading =
  | { readonly ok: true; readonly address: RedisAddress }
  | { readonly ok: false; readonly problem: string };

const REDIS_PORT = 6379;
const SENTINEL_PORT = 26_379;
const MOST_SERVERS = 100;
const EXAMPLES =
  'redis://user:password@host:6379/0, rediss:// for TLS, or redis+sentinel://user:password@host:26379,host:26379/master-name/0';

const NO_ADDRESS = `must be ${EXAMPLES}; characters such as @ : / ? # % in names are percent-encoded`;

const NAMES = '(?:([^@/]*)@)?';
const SERVERS = new RegExp(
  `^(?:redis|valkey)(s)?(\\+sentinel)?://${NAMES}([^@/?#]+)(?:/([^?#]*))?(?:\\?([^#]*))?$`,
  'i',
);
const SOCKET = new RegExp(
  `^(?:(?:redis|valkey)\\+)?(?:unix|socket)://${NAMES}(/[^?#]+)(?:\\?([^#]*))?$`,
  'i',
);

/**
 * Reads `redis://`, `rediss://`, `redis+sentinel://` and `rediss+sentinel://` (or `valkey` in their place), the first two
 * as https://www.iana.org/assignments/uri-schemes/prov/redis says, and `unix:///path`. Pure; a problem never quotes the
 * address.
 */
export function readRedisAddress(text: string): RedisAddressReading {
  const socket = SOCKET.exec(text);
  if (socket !== null) return readSocketAddress(socket);
  const match = SERVERS.exec(text);
  if (match === null) return refuse(NO_ADDRESS);
  const [, secure, sentinel, account, hosts = '', path = '', query] = match;
  const servers = readServers(hosts, sentinel === undefined ? REDIS_PORT : SENTINEL_PORT);
  if (servers === undefined) return refuse(`must name host:port; write ${EXAMPLES}`);
  const names = namesOf(account);
  if ('problem' in names) return refuse(names.problem);
  const asked = optionsOf(query);
  if ('problem' in asked) return refuse(asked.problem);
  const written = path.replace(/\/$/, '');
  const place =
    sentinel === undefined
      ? singleAt(servers, written, asked.database)
      : sentinelAt(servers, written, asked.database);
  if ('problem' in place) return refuse(place.problem);
  return { ok: true, address: { ...names, place, tls: secure !== undefined } };
}

function readSocketAddress([, account, path = '', query]: RegExpExecArray): RedisAddressReading {
  // What follows the first of two `@` may be the rest of a password.
  if (account !== undefined && path.includes('@')) return refuse(NO_ADDRESS);
  const names = namesOf(account);
  if ('problem' in names) return refuse(names.problem);
  const asked = optionsOf(query);
  if ('problem' in asked) return refuse(asked.problem);
  const server = { path };
  return {
    ok: true,
    address: { ...names, place: { kind: 'single', server, database: asked.database ?? 0 }, tls: false },
  };
}

/** Reads `host:port,host:port`; undefined where one of them is none. */
export function readServers(text: string, defaultPort = REDIS_PORT): readonly HostPort[] | undefined {
  const servers = text.split(',').map((part) => readServer(part.trim(), defaultPort));
  const known = servers.filter((server) => server !== undefined);
  return known.length === servers.length && known.length <= MOST_SERVERS ? known : undefined;
}

function readServer(text: string, defaultPort: number): HostPort | undefined {
  const match = /^(?:(?:redis|valkey):\/\/)?(?:\[([^\]]+)\]|([^:[\]]+))(?::(\d{1,5}))?\/?$/i.exec(text);
  const host = match?.[1] ?? match?.[2] ?? '';
  const port = Number(match?.[3] ?? defaultPort);
  const named = match?.[1] === undefined ? /^[A-Za-z0-9][A-Za-z0-9._-]{0,252}$/.test(host) : isIP(host) === 6;
  return named && port >= 1 && port <= 65_535 ? { host, port } : undefined;
}

function refuse(problem: string): RedisAddressReading {
  return { ok: false, problem };
}

type Problem = { readonly problem: string };

function namesOf(account: string | undefined): Pick<RedisAddress, 'username' | 'password'> | Problem {
  if (account === undefined) return { username: undefined, password: undefined };
  const colon = account.indexOf(':');
  if (colon === -1 || colon === account.length - 1) {
    return { problem: 'has a user without a password; write user:password@, or :password@ without a user' };
  }
  try {
    const username = decodeURIComponent(account.slice(0, colon));
    return {
      username: username === '' ? undefined : username,
      password: decodeURIComponent(account.slice(colon + 1)),
    };
  } catch {
    return { problem: 'holds a % that is not the beginning of a percent-encoded character' };
  }
}

/** What happens anyhow: certificates are verified, and hosts of either family are tried. */
const HARMLESS: Readonly<Record<string, RegExp>> = {
  ssl_cert_reqs: /^(?:CERT_)?required$/i,
  family: /^[046]$/,
};

/** Options of Redis' other clients; `protocol` is this service's own affair. */
function optionsOf(query: string | undefined): { readonly database: number | undefined } | Problem {
  const options = new URLSearchParams(query);
  for (const name of options.keys()) {
    if (name === 'db' || name === 'protocol') continue;
    if (HARMLESS[name]?.test(options.get(name) ?? '') === true) continue;
    // What does not look like a name may be a part of a password.
    const shown = /^[A-Za-z][A-Za-z_.-]{0,40}$/.test(name)
      ? `${name in HARMLESS ? 'an unsuitable' : 'the unknown'} option ${name}=`
      : 'an unknown option';
    return { problem: `has ${shown}; leave it out` };
  }
  const text = options.get('db');
  if (text === null) return { database: undefined };
  const database = databaseOf(text);
  return database === undefined ? { problem: 'needs a number after db=' } : { database };
}

const TWO_DATABASES: Problem = { problem: 'has a database number in its path and another after db=' };

function databaseOf(text: string): number | undefined {
  return /^\d{1,5}$/.test(text) ? Number(text) : undefined;
}

function singleAt(
  servers: readonly HostPort[],
  path: string,
  asked: number | undefined,
): RedisPlace | Problem {
  const [server, ...others] = servers;
  const database = path === '' ? (asked ?? 0) : databaseOf(path);
  if (server === undefined || others.length > 0) {
    return {
      problem: 'names several servers; for a Cluster set REDIS_SERVER_LIST, for Sentinels redis+sentinel://',
    };
  }
  if (database === undefined) return { problem: 'must have nothing but a database number after the server' };
  if (asked !== undefined && asked !== database) return TWO_DATABASES;
  return { kind: 'single', server, database };
}

function sentinelAt(
  sentinels: readonly HostPort[],
  path: string,
  asked: number | undefined,
): RedisPlace | Problem {
  const [master = '', number, ...rest] = path.split('/');
  const database = number === undefined ? (asked ?? 0) : databaseOf(number);
  if (!/^[A-Za-z0-9._-]+$/.test(master) || database === undefined || rest.length > 0) {
    return { problem: "must have the master's name after the Sentinels, and perhaps /database-number" };
  }
  if (asked !== undefined && asked !== database) return TWO_DATABASES;
  return { kind: 'sentinel', sentinels, master, database };
}
