import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { Agent } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { connect, type SecureVersion, type TLSSocket } from 'node:tls';
import {
  createThrowAwayCa,
  type IssuedCertificate,
  type ThrowAwayCa,
} from '../../src/sandbox/certificates.ts';

/** The files of a TLS listener, in a folder of the test's own. */
export interface TlsFolder {
  /** Signed the server's certificates. */
  readonly ca: ThrowAwayCa;
  /** Signs the certificates of PBXs. */
  readonly pbxCa: ThrowAwayCa;
  /** TLS_CERT_FILE and TLS_KEY_FILE. */
  readonly settings: { readonly TLS_CERT_FILE: string; readonly TLS_KEY_FILE: string };
  /** PBX_CLIENT_CA_FILE. */
  readonly mutual: { readonly PBX_CLIENT_CA_FILE: string };
  /** Writes other files in their place. */
  write(issued: Partial<IssuedCertificate>): Promise<void>;
  /** Removes certificate and key. */
  remove(): Promise<void>;
  /** Writes other authorities for PBXs. */
  writeCa(pem: string): Promise<void>;
}

/** Writes a certificate `CN=first` with its key, and the authority for PBXs. */
export async function createTlsFolder(t: Pick<TestContext, 'after'>): Promise<TlsFolder> {
  const folder = await mkdtemp(join(tmpdir(), 'vialer-middleware-tls-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const [ca, pbxCa] = [createThrowAwayCa(), createThrowAwayCa()];
  const [certFile, keyFile, caFile] = ['cert.pem', 'key.pem', 'pbx-ca.pem'].map((name) => join(folder, name));
  assert.ok(certFile && keyFile && caFile);
  const write = async ({ certificate, privateKey }: Partial<IssuedCertificate>) => {
    if (certificate !== undefined) await writeFile(certFile, certificate);
    if (privateKey !== undefined) await writeFile(keyFile, privateKey);
  };
  await write(ca.issueServer({ commonName: 'first' }));
  await writeFile(caFile, pbxCa.certificate);
  return {
    ca,
    pbxCa,
    settings: { TLS_CERT_FILE: certFile, TLS_KEY_FILE: keyFile },
    mutual: { PBX_CLIENT_CA_FILE: caFile },
    write,
    remove: async () => {
      await Promise.all([rm(certFile), rm(keyFile)]);
    },
    writeCa: (pem) => writeFile(caFile, pem),
  };
}

/** What a client of a test connects with. */
export interface TlsClient {
  readonly ca: ThrowAwayCa;
  readonly shown?: IssuedCertificate | undefined;
  readonly version?: SecureVersion;
  readonly ciphers?: string;
}

/** An agent that trusts the test's authority and shows a certificate, if it has one. */
export function agentOf(t: Pick<TestContext, 'after'>, client: TlsClient, keepAlive = false): Agent {
  const agent = new Agent({ keepAlive, ...clientOptions(client) });
  t.after(() => agent.destroy());
  return agent;
}

/** Connects and resolves with the connection once it is secure. */
export function connectTo(url: string, client: TlsClient): Promise<TLSSocket> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const socket = connect({ host: hostname, port: Number(port), ...clientOptions(client) }, () => {
      socket.off('error', reject);
      resolve(socket);
    });
    socket.once('error', reject);
  });
}

/** The common name of the certificate that a new connection is shown. */
export async function shownTo(url: string, client: TlsClient): Promise<string> {
  const socket = await connectTo(url, client);
  const name = socket.getPeerCertificate().subject.CN;
  socket.destroy();
  return String(name);
}

/** The options of `node:tls` for a client. */
export function clientOptions({ ca, shown, version, ciphers }: TlsClient) {
  return {
    ca: ca.certificate,
    ...(shown === undefined ? {} : { cert: shown.certificate, key: shown.privateKey }),
    ...(ciphers === undefined ? {} : { ciphers }),
    ...(version === undefined ? {} : { minVersion: version, maxVersion: version }),
  };
}
