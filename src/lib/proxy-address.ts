/** A forward proxy: where it is, and the credentials for it. */
export interface ProxyAddress {
  /** Whether the connection to the proxy itself is encrypted (`https://`). */
  readonly tls: boolean;
  /** A name or an IP address; IPv6 without brackets. */
  readonly host: string;
  readonly port: number;
  /** The value of `Proxy-Authorization` (Basic, RFC 7617); undefined without credentials. Secret. */
  readonly authorization: string | undefined;
  /** `http://host:port`, without credentials: for people. */
  readonly origin: string;
}

/** An address that could be read, or why not, in words that quote nothing of it. */
export type ProxyReading =
  | { readonly ok: true; readonly address: ProxyAddress }
  | { readonly ok: false; readonly problem: string };

const FORM = 'http://host:port or https://host:port, with user:password@ before the host if the proxy asks';
const ENCODE = 'percent-encode characters such as @ : / ? # % in user and password';

/** An address without a port means its scheme's, as undici and Go read it (curl: 1080, which is that of SOCKS). */
const USUAL_PORT = { http: 80, https: 443 } as const;

/**
 * Reads the address of a forward proxy as curl does: without a scheme it is `http://`. A word alone, which curl takes for a
 * host, is refused: it is mostly `none`, `false` or a slip. The credentials are
 * percent-decoded and sent as UTF-8.
 */
export function readProxyAddress(text: string): ProxyReading {
  if (/^socks/i.test(text)) return refuse(`must be ${FORM}; SOCKS proxies are not supported`);
  if (/^[\w-]+$/.test(text)) {
    return refuse(`must be ${FORM}, not a single word: write the port behind a host, as in proxy:3128`);
  }
  const withScheme = text.includes('://') ? text : `http://${text}`;
  if (!/^https?:\/\//i.test(withScheme)) return refuse(`must be ${FORM}`);
  const url = URL.parse(withScheme);
  const [, digits] = /:(\d+)\/?$/.exec(text) ?? [];
  if (digits !== undefined && !(Number(digits) >= 1 && Number(digits) <= 65_535)) {
    return refuse('must have a port from 1 to 65535');
  }
  if (url === null) return refuse(`must be ${FORM}; ${ENCODE}`);
  if (url.pathname !== '/' || url.search !== '' || url.hash !== '') {
    return refuse(`must be ${FORM}, with nothing after the port; ${ENCODE}`);
  }
  const credentials = credentialsOf(url);
  if ('problem' in credentials) return refuse(credentials.problem);
  const scheme = url.protocol === 'https:' ? 'https' : 'http';
  const port = url.port === '' ? USUAL_PORT[scheme] : Number(url.port);
  return {
    ok: true,
    address: {
      tls: scheme === 'https',
      host: url.hostname.replace(/^\[|\]$/g, ''),
      port,
      authorization: credentials.authorization,
      origin: `${scheme}://${url.hostname}:${port}`,
    },
  };
}

/** The address for people, without credentials; undefined for what is no address and may be anything. */
export function shownProxyAddress(text: string): string | undefined {
  const reading = readProxyAddress(text);
  if (!reading.ok) return undefined;
  const { origin, authorization } = reading.address;
  return authorization === undefined ? origin : origin.replace('://', '://(hidden)@');
}

function refuse(problem: string): ProxyReading {
  return { ok: false, problem };
}

function credentialsOf({
  username,
  password,
}: URL): { readonly authorization: string | undefined } | { readonly problem: string } {
  if (username === '' && password === '') return { authorization: undefined };
  try {
    const [user, secret] = [decodeURIComponent(username), decodeURIComponent(password)];
    if (user.includes(':')) return { problem: 'must not have a colon in its user (RFC 7617)' };
    return { authorization: `Basic ${Buffer.from(`${user}:${secret}`).toString('base64')}` };
  } catch {
    return { problem: `has a user or password that is not percent-encoded; ${ENCODE}` };
  }
}
