import { readTlsMaterial, type TlsFiles } from '../lib/tls-material.ts';
import { text } from './parsers.ts';
import type { SettingsReader, SettingsSource } from './settings-reader.ts';

/** How the main listener speaks. */
export interface TlsSettings {
  /** Undefined: plain HTTP. */
  readonly tls: TlsFiles | undefined;
}

/** Reads the files' names, and the files once, so that what is wrong with them is told with every other problem. */
export function readTlsSettings(
  reader: SettingsReader,
  source: Pick<SettingsSource, 'readFile'>,
): TlsSettings {
  const certFile = reader.readOptional('TLS_CERT_FILE', text);
  const keyFile = reader.readOptional('TLS_KEY_FILE', text);
  const passphrase = reader.readSecret('TLS_KEY_PASSPHRASE', text);
  const pbxClientCaFile = reader.readOptional('PBX_CLIENT_CA_FILE', text);
  if (certFile === undefined || keyFile === undefined) {
    if (certFile !== undefined) reader.problem('TLS_KEY_FILE must be set with TLS_CERT_FILE');
    if (keyFile !== undefined) reader.problem('TLS_CERT_FILE must be set with TLS_KEY_FILE');
    if (pbxClientCaFile !== undefined) {
      reader.problem(
        'PBX_CLIENT_CA_FILE needs TLS_CERT_FILE and TLS_KEY_FILE: a PBX shows its certificate to this service itself, not to a proxy in front',
      );
    }
    return { tls: undefined };
  }
  const tls = { certFile, keyFile, passphrase, pbxClientCaFile };
  const reading = readTlsMaterial(tls, source.readFile);
  if (!reading.ok) for (const problem of reading.problems) reader.problem(problem);
  return { tls };
}

/** Doubts about TLS that need no clock, for `settingWarnings`. */
export function tlsWarnings({
  tls,
  responseApi,
}: TlsSettings & { readonly responseApi: string | undefined }): readonly string[] {
  if (tls === undefined || responseApi?.startsWith('http:') !== true) return [];
  return ['APP_API_URL is an http:// address, but with TLS_CERT_FILE this service speaks HTTPS only'];
}
