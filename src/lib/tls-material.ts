import { constants, createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';

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

  const parse = (setting: string, text: string): readonly X509Certificate[] => {
    const certificates = certificatesIn(text);
    if (typeof certificates !== 'string') return certificates;
    problems.push(`${setting} ${certificates}`);
    return [];
  };
  const [own] = parse('TLS_CERT_FILE', cert);
  const authorities = pbxClientCa === undefined ? [] : parse('PBX_CLIENT_CA_FILE', pbxClientCa);
  for (const problem of [keyProblem(key, passphrase, own), authorityProblem(authorities)]) {
    if (problem !== undefined) problems.push(problem);
  }
  const material = { cert, key, passphrase, pbxClientCa };
  if (problems.length === 0) problems.push(...contextProblem(material));
  if (problems.length > 0 || own === undefined) return { ok: false, problems };
  const ends = authorities.map(({ validToDate }) => validToDate.getTime());
  return {
    ok: true,
    material: {
      ...material,
      subject: own.subject.replaceAll('\n', ', '),
      expiresAt: own.validToDate.getTime(),
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
    return { problem: `cannot be read (${codeOf(error)})` };
  }
}

const CERTIFICATE =
  /-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----[^-]*-----END (?:X509 |TRUSTED )?CERTIFICATE-----/g;

/** The certificates of a PEM text in its order, or what is wrong with it. */
function certificatesIn(text: string): readonly X509Certificate[] | string {
  const blocks = text.match(CERTIFICATE) ?? [];
  if (blocks.length === 0) return 'must hold a certificate in PEM form ("-----BEGIN CERTIFICATE-----")';
  const certificates: X509Certificate[] = [];
  for (const block of blocks) {
    try {
      certificates.push(new X509Certificate(block));
    } catch (error) {
      return `holds a damaged certificate, the ${certificates.length + 1}. of ${blocks.length} (${codeOf(error)})`;
    }
  }
  return certificates;
}

function keyProblem(
  pem: string,
  passphrase: string | undefined,
  own: X509Certificate | undefined,
): string | undefined {
  const key = openKey(pem, passphrase);
  if (typeof key === 'string') return key;
  if (own === undefined || own.checkPrivateKey(key)) return undefined;
  return 'TLS_KEY_FILE holds a key that does not belong to the first certificate of TLS_CERT_FILE';
}

function openKey(pem: string, passphrase: string | undefined): KeyObject | string {
  try {
    return createPrivateKey(passphrase === undefined ? pem : { key: pem, passphrase });
  } catch (error) {
    const code = codeOf(error);
    if (!pem.includes('ENCRYPTED')) return `TLS_KEY_FILE must hold a private key in PEM form (${code})`;
    if (passphrase === undefined) return 'TLS_KEY_FILE is encrypted: set TLS_KEY_PASSPHRASE';
    return `TLS_KEY_FILE is not opened by TLS_KEY_PASSPHRASE (${code})`;
  }
}

function authorityProblem(authorities: readonly X509Certificate[]): string | undefined {
  // A PBX's own self-signed certificate may stand for itself.
  const other = authorities.find(({ ca, issuer, subject }) => !ca && issuer !== subject);
  if (other === undefined) return undefined;
  return `PBX_CLIENT_CA_FILE must hold certificate authorities only; ${other.subject.replaceAll('\n', ', ')} is none`;
}

/** What OpenSSL itself refuses, such as a key that is too short. */
function contextProblem(material: Parameters<typeof secureContextOptions>[0]): readonly string[] {
  try {
    createSecureContext(secureContextOptions(material));
    return [];
  } catch (error) {
    return [`TLS_CERT_FILE and TLS_KEY_FILE cannot be used (${codeOf(error)})`];
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

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
}
