import { closeName } from '../lib/close-name.ts';
import type { RedisSettings } from '../redis/redis-address.ts';
import { type CredentialSettings, credentialWarnings } from './credential-settings.ts';
import { type DatabaseSettings, databaseWarnings } from './database-settings.ts';
import { type Exposure, exposureWarnings } from './exposure-warnings.ts';
import { filesFor, waitingCallsFor } from './open-files.ts';
import { type ProxySettings, proxyWarnings } from './proxy-settings.ts';
import { redisWarnings } from './redis-settings.ts';
import type { SettingsSource } from './settings-reader.ts';
import { type TlsSettings, tlsWarnings } from './tls-settings.ts';

/** Beginnings of names that only we use: a name behind one of them that we do not know is a slip of the pen. */
const OUR_PREFIXES = [
  'ACCOUNT_',
  'ANSWER_',
  'APNS_',
  'APPS_',
  'APP_',
  'CREDENTIALS_',
  'DATABASE_',
  'DB_ENV_',
  'DEVICE_',
  'EVENT_LOOP_',
  'FCM_',
  'LIMIT_',
  'PBX_',
  'PROMETHEUS_',
  'PUSH_',
  'REDIS_',
  'TAKEOVER_',
  'TLS_',
  'TRUST_PROX',
  'VG_API_',
];

/** Variables of other programs (OpenSSL has SSL_CERT_FILE) that may look like a misspelling of ours or of each other. */
const SHARED = /^(?:https?|ftp|all|no)_proxy$|^SSL_/i;

/** Settings of the reference that mean nothing here, and what to know instead. */
const REFERENCE_SETTINGS: Readonly<Record<string, string>> = {
  DEBUG: 'use LOG_LEVEL=debug',
  TESTING: 'authentication cannot be switched off by it; see ACCOUNT_AUTH',
  LOGGING_DIR: 'logs go to standard output',
  SENTRY_DSN: 'errors go to the log',
};

/** Doubts about settings that can still be run with. */
export function settingWarnings(
  source: SettingsSource & { readonly openFiles: number },
  names: { readonly known: readonly string[]; readonly secrets: readonly string[] },
  config: CredentialSettings &
    DatabaseSettings &
    ProxySettings &
    TlsSettings &
    Exposure & {
      readonly redis: RedisSettings | undefined;
      readonly maxWaitingCalls: number;
      readonly waitMs: number;
      readonly resendMs: number;
    },
): readonly string[] {
  const warnings: string[] = [
    ...databaseWarnings(source.env, config),
    ...credentialWarnings(config),
    ...tlsWarnings(config),
    ...redisWarnings(config.redis),
    ...proxyWarnings(source.env, config),
    ...exposureWarnings(config),
    ...secretFileWarnings(source, names.secrets, config.databaseUrl),
  ];
  const known = new Set([...names.known, ...names.secrets.map(fileOf)]);
  const ours = [...known].filter((name) => !SHARED.test(name));
  const noSecrets = new Set(names.known.map(fileOf));
  for (const name of Object.keys(source.env)) {
    const instead = REFERENCE_SETTINGS[name];
    if (instead !== undefined) warnings.push(`${name} has no effect: ${instead}`);
    else if (!known.has(name) && !SHARED.test(name)) {
      const meant = closeName(name, ours);
      if (meant === undefined && !noSecrets.has(name) && !hasOurPrefix(name)) continue;
      const hint = meant === undefined ? '' : `; did you mean ${meant}?`;
      warnings.push(`${name} is not a setting of this service and has no effect${hint}`);
    }
  }
  if (config.maxWaitingCalls > waitingCallsFor(source.openFiles)) {
    warnings.push(
      `MAX_WAITING_CALLS=${config.maxWaitingCalls} needs about ${filesFor(config.maxWaitingCalls)} open files, but the limit is ${source.openFiles}; raise it (LimitNOFILE, ulimit -n)`,
    );
  }
  if (config.resendMs > config.waitMs) {
    warnings.push(
      'APP_PUSH_RESEND_INTERVAL is longer than APP_PUSH_ROUNDTRIP_WAIT: every call gets one push',
    );
  }
  return warnings;
}

/** Only secrets may come from a file. */
function fileOf(name: string): string {
  return `${name}_FILE`;
}

function hasOurPrefix(name: string): boolean {
  return OUR_PREFIXES.some((prefix) => name.startsWith(prefix));
}

const SQLITE = /^sqlite:/i;

/** Doubts about who may read files with secrets, for `settingWarnings`; `secrets`: settings that may come from a file. */
function secretFileWarnings(
  { env, isOpenToAll }: SettingsSource,
  secrets: readonly string[],
  databaseUrl: string,
): readonly string[] {
  const files = [...secrets.map((name) => `${name}_FILE`), 'TLS_KEY_FILE'].map(
    (name) => [name, env[name]?.trim() ?? ''] as const,
  );
  if (SQLITE.test(databaseUrl)) files.push(['DATABASE_URL', databaseUrl.replace(SQLITE, '')]);
  return files
    .filter(([, path]) => path !== '' && isOpenToAll?.(path) === true)
    .map(
      ([name, path]) =>
        `${name} names ${path}, which every user of this machine may read; chmod o-rwx ${path}`,
    );
}
