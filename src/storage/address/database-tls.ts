/** How far the connection to a database server is protected. */
export type TlsMode = 'off' | 'encrypt' | 'verify-ca' | 'verify-full';

/** What an address says about its protection. Files are not looked at. */
export interface DatabaseTls {
  readonly tls: TlsMode;
  /** Paths of PEM files; undefined where the address names none. */
  readonly caFile: string | undefined;
  readonly certFile: string | undefined;
  readonly keyFile: string | undefined;
}

/**
 * Words of https://www.postgresql.org/docs/current/libpq-ssl.html and of
 * https://dev.mysql.com/doc/refman/8.4/en/connection-options.html#option_general_ssl-mode, in lower case. Those that
 * fall back to an unencrypted connection (`allow`, `prefer`) are left out: who asks for TLS must get it.
 */
const TLS_MODES: Readonly<Record<string, TlsMode>> = {
  disable: 'off',
  disabled: 'off',
  require: 'encrypt',
  // The word of other drivers for Node.
  'no-verify': 'encrypt',
  required: 'encrypt',
  'verify-ca': 'verify-ca',
  verify_ca: 'verify-ca',
  'verify-full': 'verify-full',
  verify_identity: 'verify-full',
};

const SSL_WORDS: Readonly<Record<string, TlsMode>> = {
  // As mysql2 takes it; PlanetScale gives it out.
  '{"rejectUnauthorized":true}': 'verify-full',
  '{"rejectUnauthorized":false}': 'encrypt',
  true: 'verify-full',
  '1': 'verify-full',
  false: 'off',
  '0': 'off',
};

/** How the connection is to be protected, by the options of an address. */
export function tlsOf(query: URLSearchParams): DatabaseTls | { readonly problem: string } {
  const files = {
    caFile: query.get('sslrootcert') ?? undefined,
    certFile: query.get('sslcert') ?? undefined,
    keyFile: query.get('sslkey') ?? undefined,
  };
  if ((files.certFile === undefined) !== (files.keyFile === undefined))
    return { problem: 'needs both sslcert= and sslkey=, or neither' };
  const accept = acceptedBy(query);
  if (typeof accept === 'object') return accept;
  const [mode, ssl] = [accept ?? query.get('sslmode') ?? query.get('ssl-mode'), query.get('ssl')];
  if (mode !== null && ssl !== null) return { problem: 'has both sslmode= and ssl=; write one of them' };
  if (mode === null && ssl === null) {
    // A file of certificates without a mode would otherwise silently mean no encryption.
    if (files.caFile !== undefined) return { ...files, tls: 'verify-full' };
    return files.certFile === undefined
      ? { ...files, tls: 'off' }
      : { problem: 'has sslcert= without sslmode=; write for example sslmode=verify-full' };
  }
  const tls = mode === null ? SSL_WORDS[(ssl ?? '').replace(/\s/g, '')] : TLS_MODES[mode.toLowerCase()];
  if (tls === undefined) {
    return {
      problem: 'needs sslmode= one of disable, require, verify-ca, verify-full, or ssl= true or false',
    };
  }
  if (tls === 'off' && (files.caFile ?? files.certFile) !== undefined) {
    return { problem: 'asks for no encryption and yet has sslrootcert= or sslcert=; leave out one of them' };
  }
  // As libpq does, https://www.postgresql.org/docs/current/libpq-ssl.html: an authority is not named for nothing.
  return { ...files, tls: tls === 'encrypt' && files.caFile !== undefined ? 'verify-ca' : tls };
}

/** Prisma's `sslaccept`, in words of `sslmode`; undefined where the address does not have it. */
function acceptedBy(query: URLSearchParams): string | undefined | { readonly problem: string } {
  const accept = query.get('sslaccept');
  if (accept === null) return undefined;
  if (query.has('sslmode') || query.has('ssl-mode') || query.has('ssl'))
    return { problem: 'has sslaccept= beside sslmode= or ssl=; leave out sslaccept=' };
  if (accept === 'strict') return 'verify-full';
  return accept === 'accept_invalid_certs'
    ? 'no-verify'
    : { problem: 'has sslaccept= with a value that this service does not know; write sslmode=' };
}
