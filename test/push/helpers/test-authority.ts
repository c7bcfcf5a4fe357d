import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { createThrowAwayCa, type IssuedCertificate } from '../../../src/sandbox/certificates.ts';

/** A certificate and its private key, PEM, as node:tls names them. */
export interface TestCertificate {
  readonly cert: string;
  readonly key: string;
}

/** An own certification authority for one test file. */
export interface TestAuthority {
  readonly ca: string;
  /** For `127.0.0.1` and `localhost`. */
  readonly server: TestCertificate;
  /** For a client that calls itself `push-client`. */
  readonly client: TestCertificate;
}

function forTls({ certificate, privateKey }: IssuedCertificate): TestCertificate {
  return {
    cert: certificate,
    key: privateKey,
  };
}

/** Makes an authority that nobody trusts yet. */
export function createAuthority(): TestAuthority {
  const ca = createThrowAwayCa();
  return {
    ca: ca.certificate,
    server: forTls(ca.issueServer()),
    client: forTls(ca.issueClient({ commonName: 'push-client' })),
  };
}

/** Makes this process trust the authority, as NODE_EXTRA_CA_CERTS would. */
export function trust(authority: TestAuthority): void {
  setDefaultCACertificates([...getCACertificates('default'), authority.ca]);
}
