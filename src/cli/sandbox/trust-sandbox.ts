import tls from 'node:tls';

/** Makes this process trust the sandbox's throw-away authority beside the usual ones, as NODE_EXTRA_CA_CERTS does. */
export function trustSandbox(caCertificate: string): void {
  tls.setDefaultCACertificates([...tls.getCACertificates('default'), caCertificate]);
}
