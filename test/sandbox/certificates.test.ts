import assert from 'node:assert/strict';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { describe, it } from 'node:test';
import { connect, createServer, type TLSSocket } from 'node:tls';
import { createThrowAwayCa } from '../../src/sandbox/certificates.ts';

/** Connects to a TLS server with the certificate of `ca`; gives why it was not trusted, undefined: trusted. */
async function handshake(
  ca: ReturnType<typeof createThrowAwayCa>,
  trusted: string,
  servername: string,
): Promise<string | undefined> {
  const { certificate: cert, privateKey: key } = ca.issueServer();
  const server = createServer({ cert, key }, (socket) => socket.end());
  server.on('tlsClientError', () => undefined);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const host = servername === 'localhost' ? { servername } : {};
  const refusal = await new Promise<string | undefined>((resolve) => {
    const socket: TLSSocket = connect({ host: '127.0.0.1', port, ca: trusted, ...host }, () => {
      resolve(undefined);
      socket.destroy();
    });
    socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code));
  });
  await new Promise((resolve) => server.close(resolve));
  return refusal;
}

describe('the throw-away authority', () => {
  it('issues server certificates that clients trust for localhost and 127.0.0.1, and only with its root', async () => {
    const ca = createThrowAwayCa();
    assert.equal(await handshake(ca, ca.certificate, 'localhost'), undefined);
    assert.equal(await handshake(ca, ca.certificate, '127.0.0.1'), undefined);
    const foreign = createThrowAwayCa().certificate;
    assert.notEqual(await handshake(ca, foreign, 'localhost'), undefined);
  });

  it('signs for all loopback names and no others', () => {
    const ca = createThrowAwayCa();
    const certificate = new X509Certificate(ca.issueServer().certificate);
    const root = new X509Certificate(ca.certificate);
    assert.equal(certificate.verify(root.publicKey), true);
    assert.equal(certificate.checkIP('::1'), '::1');
    assert.equal(certificate.checkHost('localhost'), 'localhost');
    assert.equal(certificate.checkHost('example.com'), undefined);
    assert.deepEqual([root.ca, certificate.ca], [true, false]);
  });

  it('issues client certificates with the bundle id and the end that was asked for', () => {
    const ca = createThrowAwayCa();
    const notAfter = new Date('2051-02-03T04:05:06Z');
    const issued = ca.issueClient({ commonName: 'com.example.phone', notAfter });
    const certificate = new X509Certificate(issued.certificate);
    assert.match(certificate.subject, /UID=com\.example\.phone/);
    assert.match(certificate.subject, /CN=com\.example\.phone/);
    assert.equal(new Date(certificate.validTo).getTime(), notAfter.getTime());
    assert.equal(certificate.checkPrivateKey(createPrivateKey(issued.privateKey)), true);
  });

  it('issues expired client certificates that once were valid', () => {
    const notAfter = new Date('2020-01-02T03:04:05Z');
    const issued = createThrowAwayCa().issueClient({ commonName: 'com.example.phone', notAfter });
    const certificate = new X509Certificate(issued.certificate);
    assert.equal(new Date(certificate.validTo).getTime(), notAfter.getTime());
    assert.ok(new Date(certificate.validFrom) < notAfter);
  });
});
