import { constants, type X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import { errorCode } from './error-code.ts';
import { type CertificatesReading, readCertificates } from './read-certificates.ts';
import { readPrivateKey } from './read-private-key.ts';

/** Where the files of a TLS listener are, all PEM. */
export interface TlsFiles {
  /** The server's certificate, the authorities between it and its root behind it. */
  readonly certFile: string;
  readonly keyFile: string;
  /** Opens an encrypted private key. */
  readonly passphrase: string | undefined;
  /** Authorities that sign the certificates of PBXs. */
  readonly pbxClientCaFile: string | undefined;
}

/** The files' contents, which belong together and which OpenSSL takes. */
export interface TlsMaterial {
  readonly cert: string;
  readonly key: string;
  readonly passphrase: string | undefined;
  readonly pbxClientCa: string | undefined;
  /** Of the server's own certificate, in one line: `CN=push.example.org`. */
  readonly subject: string;
  /** Milliseconds since the epoch at which the server's own certificate ends. */
  readonly expiresAt: number;
  /** When the first of the authorities of `pbxClientCa` ends. */
  readonly caExpiresAt: number | undefined;
}

/** What became of reading them: each problem is one line that starts with the name of its setting. */
export type TlsReading =
  | { readonly ok: true; readonly material: TlsMaterial }
  | { readonly ok: false; readonly problems: readonly string[] };

/** Characters of a file; the bundle of all public authorities is about 250,000. */
const MAX_TEXT = 1_000_000;

/**
 * Clients older than TLS 1.2 are not served; the ciphers are Node's own choice. A client that asks for another handshake on
 * its connection costs a server far more than itself, and none needs to.
 */
const TLS_RULES = { minVersion: 'TLSv1.2', secureOptions: constants.SSL_OP_NO_RENEGOTIATION } as const;

/** What to do about a key that is not usable as it is. */
const KEY_ADVICE = {
  unusable: '',
  encrypted: ': set TLS_KEY_PASSPHRASE',
  locked: ': correct TLS_KEY_PASSPHRASE',
} as const;
const OTHER_KEY = 'TLS_KEY_FILE holds a key that does not belong to the first certificate of TLS_CERT_FILE';

/**
 * Reads and checks the files of a listener. `readFile` throws as `node:fs` does. A certificate that has expired is
 * taken: a client that does not look at the date is served better by it than by nothing.
 */
export function readTlsMaterial(files: TlsFiles, readFile: (path: string) => string): TlsReading {
  const problems: string[] = [];
  const read = (setting: string, path: string): string => {
    const text = textOf(path, readFile);
    if ('problem' in text) problems.push(`${setting} names ${path}, which ${text.problem}`);
    return 'text' in text ? text.text : '';
  };
  const { certFile, keyFile, passphrase, pbxClientCaFile } = files;
  const cert = read('TLS_CERT_FILE', certFile);
  const key = read('TLS_KEY_FILE', keyFile);
  const pbxClientCa = pbxClientCaFile === undefined ? undefined : read('PBX_CLIENT_CA_FILE', pbxClientCaFile);
  if (problems.length > 0) return { ok: false, problems };

  const own = readCertificates(cert);
  const authorities = pbxClientCa === undefined ? undefined : readCertificates(pbxClientCa);
  const opened = readPrivateKey(key, passphrase);
  if (!own.ok) problems.push(`TLS_CERT_FILE ${own.problem}`);
  if (authorities?.ok === false) problems.push(`PBX_CLIENT_CA_FILE ${authorities.problem}`);
  if (!opened.ok) problems.push(`TLS_KEY_FILE ${opened.problem}${KEY_ADVICE[opened.why]}`);
  else if (own.ok && !own.first.checkPrivateKey(opened.key)) problems.push(OTHER_KEY);
  const ca = certificatesOf(authorities);
  problems.push(...authorityProblem(ca));
  if (problems.length > 0 || !own.ok || !opened.ok) return { ok: false, problems };
  const material = {
    cert: own.pem,
    key: opened.pem,
    passphrase,
    pbxClientCa: authorities?.ok === true ? authorities.pem : undefined,
  };
  const unusable = contextProblem(material);
  if (unusable.length > 0) return { ok: false, problems: unusable };
  const ends = ca.map(({ validToDate }) => validToDate.getTime());
  return {
    ok: true,
    material: {
      ...material,
      subject: own.first.subject.replaceAll('\n', ', '),
      expiresAt: own.first.validToDate.getTime(),
      caExpiresAt: ends.length === 0 ? undefined : Math.min(...ends),
    },
  };
}

function textOf(
  path: string,
  readFile: (path: string) => string,
): { readonly text: string } | { readonly problem: string } {
  try {
    const text = readFile(path);
    return text.length > MAX_TEXT ? { problem: `is longer than ${MAX_TEXT} characters` } : { text };
  } catch (error) {
    return { problem: `cannot be read (${errorCode(error) ?? 'unknown error'})` };
  }
}

function certificatesOf(reading: CertificatesReading | undefined): readonly X509Certificate[] {
  return reading?.ok === true ? reading.all : [];
}

function authorityProblem(authorities: readonly X509Certificate[]): readonly string[] {
  // A PBX's own self-signed certificate may stand for itself.
  const other = authorities.find(({ ca, issuer, subject }) => !ca && issuer !== subject);
  if (other === undefined) return [];
  return [
    `PBX_CLIENT_CA_FILE must hold certificate authorities only; ${other.subject.replaceAll('\n', ', ')} is not an authority`,
  ];
}

/** What OpenSSL itself refuses, such as a key that is too short. */
function contextProblem(material: Parameters<typeof secureContextOptions>[0]): readonly string[] {
  try {
    createSecureContext(secureContextOptions(material));
    return [];
  } catch (error) {
    return [`TLS_CERT_FILE and TLS_KEY_FILE cannot be used (${errorCode(error) ?? 'unknown error'})`];
  }
}

/** The same files as Node wants them, for a new listener and for `setSecureContext`. */
export function secureContextOptions(
  material: Pick<TlsMaterial, 'cert' | 'key' | 'passphrase' | 'pbxClientCa'>,
) {
  const { cert, key, passphrase, pbxClientCa } = material;
  return {
    ...TLS_RULES,
    cert,
    key,
    ...(passphrase === undefined ? {} : { passphrase }),
    ...(pbxClientCa === undefined ? {} : { ca: pbxClientCa }),
  };
}
