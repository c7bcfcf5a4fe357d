import { readFileSync, statSync } from 'node:fs';
import type { RedisSettings } from '../redis/redis-address.ts';
import { type AccountAuth, readAccountAuth } from './account-settings.ts';
import { type CredentialSettings, readCredentialSettings } from './credential-settings.ts';
import { type DatabaseSettings, readDatabaseSettings } from './database-settings.ts';
import {
  connectionsBeyond,
  connectionsFor,
  FEWEST_CONNECTIONS,
  MOST_CONNECTIONS,
  MOST_WAITING_CALLS,
  openFilesLimit,
  waitingCallsFor,
} from './open-files.ts';
import { integer, type NetworkList, networkList, oneOf, text } from './parsers.ts';
import {
  type PushOriginSettings,
  readAppsRefreshMs,
  readListenAddress,
  readMetricsAddress,
  readPbxToken,
  readPushOrigins,
  readWaitMs,
} from './part-settings.ts';
import { type ListenAddress, readPbxListener } from './pbx-listener-settings.ts';
import { type ProtectionSettings, readProtectionSettings } from './protection-settings.ts';
import { type ProxySettings, readProxySettings } from './proxy-settings.ts';
import { readRedisSettings } from './redis-settings.ts';
import { readResponseApi } from './response-api.ts';
import { settingWarnings } from './setting-warnings.ts';
import { type FoundSetting, SettingsReader, type SettingsSource } from './settings-reader.ts';
import { readTlsSettings, type TlsSettings } from './tls-settings.ts';

/** Who may ask for calls. Each that is set must hold. */
export interface PbxAccess {
  readonly allow: NetworkList | undefined;
  readonly token: string | undefined;
  /** Whether a client certificate signed by an authority of PBX_CLIENT_CA_FILE is needed. */
  readonly certificate: boolean;
}

/** Everything the service can be told, checked. Durations are milliseconds. */
export interface Config
  extends CredentialSettings,
    DatabaseSettings,
    ProtectionSettings,
    ProxySettings,
    PushOriginSettings,
    TlsSettings {
  readonly host: string;
  readonly port: number;
  readonly metricsHost: string;
  readonly metricsPort: number;
  /** Where PBXs ask; undefined: at `host` and `port`, with the apps. */
  readonly pbxListener: ListenAddress | undefined;
  /** Where apps post their answer; undefined: to the address that the service listens on (loopback only). */
  readonly responseApi: string | undefined;
  readonly waitMs: number;
  readonly resendMs: number;
  readonly maxWaitingCalls: number;
  readonly maxPushesInFlight: number;
  /** Connections of PBXs and apps at once. */
  readonly maxConnections: number;
  /** Further ones that may be open for a moment. */
  readonly connectionsBeyond: number;
  /** How long a connection without a request is kept. */
  readonly keepAliveMs: number;
  readonly shutdownGraceMs: number;
  readonly accountAuth: AccountAuth;
  readonly pbx: PbxAccess;
  readonly trustProxy: NetworkList | undefined;
  /** Undefined: this instance works alone. */
  readonly redis: RedisSettings | undefined;
  readonly appsRefreshMs: number;
  readonly takeoverNotice: boolean;
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error';
  readonly logFormat: 'auto' | 'json' | 'pretty';
  readonly dockerTag: string;
}

/** The settings that were read, and what a person should know about them. */
export interface ConfigReport {
  /** Undefined when there is a problem. */
  readonly config: Config | undefined;
  readonly problems: readonly string[];
  readonly warnings: readonly string[];
  readonly found: readonly FoundSetting[];
}

/** What `readConfig` needs to know of the process. */
export interface ConfigSource extends SettingsSource {
  /** The soft limit of open files, from which the default of MAX_WAITING_CALLS is made. */
  readonly openFiles: number;
}

/** Reads and checks every setting, and reports all problems at once. Pure: the same source, the same report. */
export function readConfig(source: ConfigSource): ConfigReport {
  const reader = new SettingsReader(source);
  const main = readListenAddress(reader);
  const { host } = main;
  const waitMs = readWaitMs(reader);
  const responseApi = readResponseApi(reader, main);
  const trustProxy = reader.readOptional('TRUST_PROXY', networkList);
  const database = readDatabaseSettings(reader);
  const metrics = readMetricsAddress(reader);
  const maxConnections = reader.read(
    'MAX_CONNECTIONS',
    String(connectionsFor(source.openFiles, database.databaseLimits.poolSize)),
    integer(FEWEST_CONNECTIONS, MOST_CONNECTIONS, 'connections'),
  );
  const accountAuth = readAccountAuth(reader, { host, responseApi, proxied: trustProxy !== undefined });
  const config: Config = {
    ...main,
    metricsHost: metrics.host,
    metricsPort: metrics.port,
    pbxListener: readPbxListener(reader, { main, metrics }),
    responseApi,
    waitMs,
    resendMs: reader.read('APP_PUSH_RESEND_INTERVAL', '1000', integer(100, 60_000, 'milliseconds')),
    maxWaitingCalls: reader.read(
      'MAX_WAITING_CALLS',
      String(waitingCallsFor(source.openFiles)),
      integer(1, MOST_WAITING_CALLS, 'calls'),
    ),
    maxConnections,
    connectionsBeyond: connectionsBeyond(maxConnections, source.openFiles, database.databaseLimits.poolSize),
    keepAliveMs: reader.read('KEEP_ALIVE_TIMEOUT', '72000', integer(1_000, 3_600_000, 'milliseconds')),
    maxPushesInFlight: reader.read('MAX_PUSHES_IN_FLIGHT', '2000', integer(1, 100_000, 'pushes')),
    shutdownGraceMs: reader.read('SHUTDOWN_GRACE', String(waitMs), integer(0, 60_000, 'milliseconds')),
    accountAuth,
    pbx: readPbxAccess(reader),
    ...readTlsSettings(reader, source),
    trustProxy,
    ...database,
    ...readProtectionSettings(reader),
    ...readCredentialSettings(reader),
    ...readRedisSettings(reader),
    appsRefreshMs: readAppsRefreshMs(reader),
    ...readPushOrigins(reader),
    ...readProxySettings(reader, accountAuth.kind === 'none' ? undefined : accountAuth.baseUrl),
    takeoverNotice: reader.read('TAKEOVER_NOTICE', 'on', oneOf('on', 'off')) === 'on',
    logLevel: reader.read('LOG_LEVEL', 'info', oneOf('debug', 'info', 'warn', 'error')),
    logFormat: reader.read('LOG_FORMAT', 'auto', oneOf('auto', 'json', 'pretty')),
    dockerTag: reader.read('DOCKER_TAG', 'Unknown', text),
  };
  const known = reader.found.map((setting) => setting.name);
  return {
    config: reader.problems.length === 0 ? config : undefined,
    problems: reader.problems,
    warnings: settingWarnings(source, { known, secrets: reader.secrets }, config),
    found: reader.found,
  };
}

const LOOPBACK = '127.0.0.0/8, ::1';

function readPbxAccess(reader: SettingsReader): PbxAccess {
  const token = readPbxToken(reader);
  const certificate = reader.isSet('PBX_CLIENT_CA_FILE');
  const inForce = token === undefined && !certificate ? LOOPBACK : '';
  const allow = reader.readOptional('PBX_ALLOW', networkList, inForce);
  if (allow !== undefined || token !== undefined || certificate) return { allow, token, certificate };
  const loopback = networkList(LOOPBACK);
  return { allow: 'value' in loopback ? loopback.value : undefined, token, certificate };
}

/** What users may who are neither the owner of a file nor in its group: to read and to write it. */
const ALL_USERS = 0o006;

function isOpenToAll(path: string): boolean {
  try {
    return (statSync(path).mode & ALL_USERS) !== 0;
  } catch {
    // A file that is not there, or that we may not look at, is told of where it is read.
    return false;
  }
}

/** The settings of this process: its environment, its files, its limit of open files. */
export function processSource(): ConfigSource {
  return {
    env: process.env,
    readFile: (path) => readFileSync(path, 'utf8'),
    isOpenToAll,
    openFiles: openFilesLimit(),
  };
}
