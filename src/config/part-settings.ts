import { type CredentialSettings, readCredentialSettings } from './credential-settings.ts';
import { type DatabaseSettings, readDatabaseSettings } from './database-settings.ts';
import { bearerToken, httpsOrigin, integer, listenHost } from './parsers.ts';
import type { ListenAddress } from './pbx-listener-settings.ts';
import { type ProxySettings, readProxySettings } from './proxy-settings.ts';
import type { SettingsReader } from './settings-reader.ts';

/** What a command needs that reads apps and devices. */
export interface StoreSettings extends DatabaseSettings, CredentialSettings {}

export function readStoreSettings(reader: SettingsReader): StoreSettings {
  return { ...readDatabaseSettings(reader), ...readCredentialSettings(reader) };
}

/** Where the push services are; https origins. */
export interface PushOriginSettings {
  readonly apnsUrl: string;
  readonly apnsSandboxUrl: string;
  readonly fcmUrl: string;
}

export function readPushOrigins(reader: SettingsReader): PushOriginSettings {
  return {
    apnsUrl: reader.read('APNS_URL', 'https://api.push.apple.com', httpsOrigin),
    apnsSandboxUrl: reader.read('APNS_SANDBOX_URL', 'https://api.sandbox.push.apple.com', httpsOrigin),
    fcmUrl: reader.read('FCM_URL', 'https://fcm.googleapis.com', httpsOrigin),
  };
}

/** What a command needs that pushes by itself. */
export interface PushSettings extends StoreSettings, PushOriginSettings, ProxySettings {}

export function readPushSettings(reader: SettingsReader): PushSettings {
  // The platform API is not asked.
  const proxies = readProxySettings(reader, undefined);
  return { ...readStoreSettings(reader), ...readPushOrigins(reader), ...proxies };
}

/** `HOST` and `PORT`. */
export function readListenAddress(reader: SettingsReader): ListenAddress {
  return {
    host: reader.read('HOST', '127.0.0.1', listenHost),
    port: reader.read('PORT', '8080', integer(0, 65_535)),
  };
}

/** `PROMETHEUS_HOST` and `PROMETHEUS_PORT`. */
export function readMetricsAddress(reader: SettingsReader): ListenAddress {
  return {
    host: reader.read('PROMETHEUS_HOST', '127.0.0.1', listenHost),
    port: reader.read('PROMETHEUS_PORT', '9000', integer(0, 65_535)),
  };
}

/** `APP_PUSH_ROUNDTRIP_WAIT`, milliseconds. */
export function readWaitMs(reader: SettingsReader): number {
  return reader.read('APP_PUSH_ROUNDTRIP_WAIT', '4000', integer(500, 60_000, 'milliseconds'));
}

/** `APPS_REFRESH_INTERVAL`, milliseconds. */
export function readAppsRefreshMs(reader: SettingsReader): number {
  return reader.read('APPS_REFRESH_INTERVAL', '2000', integer(100, 600_000, 'milliseconds'));
}

/** `PBX_TOKEN`. */
export function readPbxToken(reader: SettingsReader): string | undefined {
  return reader.readSecret('PBX_TOKEN', bearerToken);
}
