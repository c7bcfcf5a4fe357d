import { existsSync, globSync } from 'node:fs';

/** The database servers that the suite starts. */
export type DatabaseKind = 'PostgreSQL' | 'MariaDB';
/** What the suite starts. Redis: with redis-sentinel. Lua: an interpreter for FreeSWITCH's script, with curl. SQLite: its shell. */
export type ServerKind = DatabaseKind | 'Redis' | 'Kamailio' | 'Lua' | 'SQLite' | 'tinyproxy' | 'squid';

const PLACES = {
  PostgreSQL: ['/usr/lib/postgresql/*/bin', '/usr/local/bin', '/usr/bin'],
  MariaDB: ['/usr/sbin', '/usr/local/sbin', '/usr/libexec', '/usr/bin'],
  Redis: ['/usr/bin', '/usr/local/bin'],
  Lua: ['/usr/bin', '/usr/local/bin'],
  SQLite: ['/usr/bin', '/usr/local/bin'],
  Kamailio: ['/usr/sbin', '/usr/local/sbin'],
  tinyproxy: ['/usr/bin', '/usr/local/bin'],
  squid: ['/usr/sbin', '/usr/local/sbin'],
} as const;
const BINARY = {
  PostgreSQL: 'postgres',
  MariaDB: 'mariadbd',
  Redis: 'redis-sentinel',
  Lua: 'lua5.4',
  SQLite: 'sqlite3',
  Kamailio: 'kamailio',
  tinyproxy: 'tinyproxy',
  squid: 'squid',
} as const;
const PACKAGE = {
  PostgreSQL: 'postgresql',
  MariaDB: 'mariadb-server',
  Redis: 'redis-server redis-sentinel',
  Lua: 'lua5.4 curl',
  SQLite: 'sqlite3',
  Kamailio: 'kamailio kamailio-utils-modules',
  tinyproxy: 'tinyproxy-bin',
  squid: 'squid',
} as const;

/** The folder of the server's programs, the newest where there are several; undefined where it is not installed. */
function findServer(kind: ServerKind): string | undefined {
  return PLACES[kind]
    .flatMap((place) =>
      globSync(place).sort((one, other) => Number(other.match(/\d+/)) - Number(one.match(/\d+/))),
    )
    .find((folder) => existsSync(`${folder}/${BINARY[kind]}`));
}

/**
 * Why the tests that need this server are skipped, or false where they can run. In CI they never are: a missing
 * server fails there.
 */
export function skipWithout(kind: ServerKind): string | false {
  if (findServer(kind) !== undefined || process.env['CI'] === 'true') return false;
  return `${kind} is not installed; to run these tests: apt-get install ${PACKAGE[kind]} (or scripts/install-servers.sh)`;
}

/** The folder of the server's programs; throws where it is not installed. */
export function requireServer(kind: ServerKind): string {
  const folder = findServer(kind);
  if (folder === undefined) {
    throw new Error(
      `${kind} is not installed: apt-get install ${PACKAGE[kind]} (or scripts/install-servers.sh)`,
    );
  }
  return folder;
}
