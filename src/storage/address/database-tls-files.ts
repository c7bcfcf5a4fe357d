import { errorCode } from '../../lib/error-code.ts';
import { readCertificates } from '../../lib/read-certificates.ts';
import { readPrivateKey } from '../../lib/read-private-key.ts';
import type { DatabaseTls } from './database-tls.ts';

/** PEM texts of the files that an address names, or what is wrong with the first that cannot be used. */
export type DatabaseTlsFiles =
  | {
      readonly ok: true;
      readonly ca: string | undefined;
      readonly cert: string | undefined;
      readonly key: string | undefined;
    }
  | { readonly ok: false; readonly problem: string };

type Text = { readonly pem: string | undefined } | { readonly problem: string };

/** Reads the files of an address; `readFile` throws as `node:fs` does. */
export function readDatabaseTlsFiles(
  { tls, caFile, certFile, keyFile }: DatabaseTls,
  readFile: (path: string) => string,
): DatabaseTlsFiles {
  if (tls === 'off') return { ok: true, ca: undefined, cert: undefined, key: undefined };
  const ca = pemOf('sslrootcert', caFile, readFile);
  if ('problem' in ca) return { ok: false, problem: ca.problem };
  const cert = pemOf('sslcert', certFile, readFile);
  if ('problem' in cert) return { ok: false, problem: cert.problem };
  const key = pemOf('sslkey', keyFile, readFile);
  if ('problem' in key) return { ok: false, problem: key.problem };
  return { ok: true, ca: ca.pem, cert: cert.pem, key: key.pem };
}

function pemOf(
  option: 'sslrootcert' | 'sslcert' | 'sslkey',
  path: string | undefined,
  readFile: (path: string) => string,
): Text {
  if (path === undefined) return { pem: undefined };
  let text: string;
  try {
    text = readFile(path);
  } catch (error) {
    const code = errorCode(error) ?? 'unreadable';
    return { problem: `${option} names ${path}, which cannot be read (${code})` };
  }
  const reading = option === 'sslkey' ? readPrivateKey(text) : readCertificates(text);
  return reading.ok ? { pem: reading.pem } : { problem: `${option} names ${path}, which ${reading.problem}` };
}
