import { baseUrl, isLoopback } from './parsers.ts';
import type { ListenAddress } from './pbx-listener-settings.ts';
import type { SettingsReader } from './settings-reader.ts';

/**
 * Where apps post their answer. vialer-ios keeps only scheme and host of it and puts its own absolute path behind, so
 * a path prefix would lose the answers of those phones: only a bare origin is taken.
 */
export function readResponseApi(reader: SettingsReader, { host, port }: ListenAddress): string | undefined {
  const scheme = reader.isSet('TLS_CERT_FILE') ? 'https' : 'http';
  const listening = `${scheme}://${host.includes(':') ? `[${host}]` : host}:${port}`;
  const inForce = isLoopback(host) && port !== 0 ? listening : '';
  const base = reader.readOptional('APP_API_URL', baseUrl, inForce);
  if (base !== undefined) {
    if (new URL(base).pathname !== '/') {
      reader.problem('APP_API_URL must have no path: iOS apps answer to /api/call-response/ on its host');
    }
    return new URL('api/call-response/', base).href;
  }
  if (!isLoopback(host)) {
    reader.problem('APP_API_URL must be set to the public address of this service, which apps answer to');
  }
  return undefined;
}
