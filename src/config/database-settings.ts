import { isServerAddress, readDatabaseAddress } from '../storage/address/database-address.ts';
import { readDatabaseTlsFiles } from '../storage/address/database-tls-files.ts';
import { integer, text } from './parsers.ts';
import type { Parse, SettingsReader } from './settings-reader.ts';

/** Where devices and apps are kept, and how a database server may be used. */
export interface DatabaseSettings {
  readonly databaseUrl: string;
  /** Which setting says so, for messages. */
  readonly databaseSetting: 'DATABASE_URL' | 'DB_ENV_…';
  readonly databaseLimits: { readonly poolSize: number; readonly timeoutMs: number };
  /** How long a device may be woken from memory while the database is away; 0: never. */
  readonly deviceCacheSeconds: number;
}

/** Settings of the reference; not looked at where `DATABASE_URL` is set. */
const REFERENCE_NAMES = ['DB_ENV_HOST', 'DB_ENV_PORT', 'DB_ENV_USER', 'DB_ENV_PASSWORD', 'DB_ENV_NAME'];

const DEFAULT_DATABASE = 'sqlite:data/middleware.db';

/** A database address that this version can open, its files included; never quoted, because it may hold a password. */
function databaseUrl(readFile: (path: string) => string): Parse<string> {
  return (value) => {
    if (isServerAddress(value)) {
      const reading = readDatabaseAddress(value);
      if (!reading.ok) return { expected: reading.problem };
      const files = readDatabaseTlsFiles(reading.address, readFile);
      return files.ok ? { value } : { expected: `has an option that cannot be used: ${files.problem}` };
    }
    const scheme = /^(?:jdbc:)?(postgres|mysql|mariadb)[a-z0-9+]*:/i.exec(value)?.[1];
    if (scheme !== undefined)
      return {
        expected: `must begin with ${scheme.toLowerCase()}://, without jdbc: or the name of a driver`,
      };
    return /^sqlite:(?!\/\/)./i.test(value)
      ? { value }
      : {
          expected: `must be sqlite:PATH, for example ${DEFAULT_DATABASE}, or postgres:// or mysql:// with user, password, host and database`,
        };
  };
}

/** Reads `DATABASE_URL`, or the reference's settings of its MySQL database where that is not set. */
export function readDatabaseSettings(reader: SettingsReader): DatabaseSettings {
  const reference = readReferenceDatabase(reader);
  const address = databaseUrl((path) => reader.fileText(path));
  // Whoever looks at the settings must not take the default for what is used.
  const own =
    reference === undefined
      ? reader.readSecretOr('DATABASE_URL', DEFAULT_DATABASE, address)
      : reader.readSecret('DATABASE_URL', address);
  return {
    databaseUrl: reference ?? own ?? DEFAULT_DATABASE,
    databaseSetting: reference === undefined ? 'DATABASE_URL' : 'DB_ENV_…',
    databaseLimits: {
      poolSize: reader.read('DATABASE_POOL_SIZE', '10', integer(1, 1_000, 'connections')),
      timeoutMs: reader.read('DATABASE_TIMEOUT', '800', integer(100, 60_000, 'milliseconds')),
    },
    deviceCacheSeconds: reader.read('DEVICE_CACHE_SECONDS', '0', integer(0, 3_600, 'seconds')),
  };
}

/** The reference's `DB_ENV_…` as one address; undefined where they are not set. */
function readReferenceDatabase(reader: SettingsReader): string | undefined {
  const host = reader.readOptional('DB_ENV_HOST', text);
  const port = reader.read('DB_ENV_PORT', '3306', integer(1, 65_535));
  const user = reader.readOptional('DB_ENV_USER', text);
  const password = reader.readSecret('DB_ENV_PASSWORD', text) ?? '';
  const name = reader.readOptional('DB_ENV_NAME', text);
  // Whoever sets only some of them must not get a new SQLite file for it.
  if (reader.isSet('DATABASE_URL') || !REFERENCE_NAMES.some((each) => reader.isSet(each))) return undefined;
  for (const [setting, value] of Object.entries({
    DB_ENV_HOST: host,
    DB_ENV_USER: user,
    DB_ENV_NAME: name,
  })) {
    if (value === undefined)
      reader.problem(`${setting} must be set with the other DB_ENV_… settings, or DATABASE_URL`);
  }
  if (host === undefined || user === undefined || name === undefined) return undefined;
  const account = `${encodeURIComponent(user)}:${encodeURIComponent(password)}`;
  const server = `${/^[^[]*:/.test(host) ? `[${host}]` : host}:${port}/${encodeURIComponent(name)}`;
  // Django takes a path in its place for a Unix socket.
  const address = host.startsWith('/')
    ? `mysql://${account}@localhost/${encodeURIComponent(name)}?socket=${encodeURIComponent(host)}`
    : `mysql://${account}@${server}`;
  if (readDatabaseAddress(address).ok) return address;
  reader.problem('DB_ENV_HOST must be an IP address, a host name, or the path of a Unix socket');
  return undefined;
}

/** Doubts about where the data are, for `settingWarnings`. */
export function databaseWarnings(
  env: Readonly<Record<string, string | undefined>>,
  { databaseUrl, databaseLimits }: DatabaseSettings,
): readonly string[] {
  const isSet = (name: string) =>
    [env[name], env[`${name}_FILE`]].some((value) => (value?.trim() ?? '') !== '');
  const ignored = isSet('DATABASE_URL') ? REFERENCE_NAMES.filter(isSet) : [];
  const warnings = ignored.map((name) => `${name} has no effect: devices are kept in DATABASE_URL`);
  const reading = isServerAddress(databaseUrl) ? readDatabaseAddress(databaseUrl) : undefined;
  if (reading?.ok !== true) return warnings;
  const { tls, socket, host } = reading.address;
  if (tls === 'off' && socket === undefined && !/^(localhost|127\..*|::1)$/.test(host)) {
    warnings.push(
      'the connection to the database is not encrypted; write DATABASE_URL with ?sslmode=verify-full',
    );
  }
  if (databaseLimits.timeoutMs > 900) {
    warnings.push(
      `DATABASE_TIMEOUT=${databaseLimits.timeoutMs}: a call waits that long for a database that does not answer; up to 900 it hears within a second`,
    );
  }
  return warnings;
}
