import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { ConnectionOptions } from 'node:tls';
import type { TlsFiles } from '../lib/tls-material.ts';
import { CommandFailed } from './command-context.ts';

/** The options of `node:tls` with which the service is asked. */
export type ServiceTls = Pick<
  ConnectionOptions,
  'ca' | 'allowPartialTrustChain' | 'checkServerIdentity' | 'cert' | 'key'
>;

/** The code of the error where the service shows another certificate than the file holds. */
export const OTHER_CERTIFICATE = 'OTHER_CERTIFICATE';

/**
 * How to ask a service over https. The one of these settings is asked at its own address, which its certificate does
 * not name: it is known by the certificate itself. One behind `--via` is verified as any other web server.
 */
export function serviceTls(
  own: TlsFiles | undefined,
  options: { readonly via?: string; readonly cert?: string; readonly key?: string },
): ServiceTls {
  const { cert, key } = options;
  if ((cert === undefined) !== (key === undefined)) {
    throw new CommandFailed('--cert and --key must be given together.', 2);
  }
  return {
    ...(own === undefined || options.via !== undefined ? {} : pinned(own)),
    ...(cert === undefined || key === undefined
      ? {}
      : { cert: readOption('--cert', cert), key: readOption('--key', key) }),
  };
}

function pinned({ certFile }: TlsFiles): ServiceTls {
  const pem = readOption('TLS_CERT_FILE', certFile);
  const { fingerprint256 } = new X509Certificate(pem);
  return {
    ca: pem,
    allowPartialTrustChain: true,
    // The authorities behind it in the file are trusted too: theirs must not pass for it.
    checkServerIdentity: (_host, shown) =>
      shown.fingerprint256 === fingerprint256
        ? undefined
        : Object.assign(new Error('another certificate than TLS_CERT_FILE'), { code: OTHER_CERTIFICATE }),
  };
}

function readOption(option: string, path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable';
    throw new CommandFailed(`${option} names ${path}, which cannot be read (${code}).`, 2, { cause: error });
  }
}
