import { readFileSync } from 'node:fs';
import type { ConnectionOptions } from 'node:tls';
import { errorCode } from '../../lib/error-code.ts';
import { readCertificates } from '../../lib/read-certificates.ts';
import { readPrivateKey } from '../../lib/read-private-key.ts';
import type { TlsFiles } from '../../lib/tls-material.ts';
import { CommandFailed } from '../kit/command-context.ts';

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
      : {
          cert: usable('--cert', cert, readCertificates(readOption('--cert', cert))).pem,
          key: usable('--key', key, readPrivateKey(readOption('--key', key))).pem,
        }),
  };
}

function pinned({ certFile }: TlsFiles): ServiceTls {
  const text = readOption('TLS_CERT_FILE', certFile);
  const { pem, first } = usable('TLS_CERT_FILE', certFile, readCertificates(text));
  const { fingerprint256 } = first;
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

function usable<T extends { readonly ok: true; readonly pem: string }>(
  option: string,
  path: string,
  reading: T | { readonly ok: false; readonly problem: string },
): T {
  if (reading.ok) return reading;
  throw new CommandFailed(`${option} names ${path}, which ${reading.problem}.`, 2);
}

function readOption(option: string, path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const code = errorCode(error) ?? 'unreadable';
    throw new CommandFailed(`${option} names ${path}, which cannot be read (${code}).`, 2, { cause: error });
  }
}
