import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { owned } from '../../../harness/owned.ts';
import { until } from '../../../harness/until.ts';
import type { TestAuthority } from './test-authority.ts';

/** A TLS server that demands a client certificate during the handshake and refuses others by an alert, as node:tls does not. */
export interface StrictServer extends AsyncDisposable {
  readonly origin: string;
}

/** Starts `openssl s_server` with `server`'s certificate; it takes client certificates of `clients` only. */
export async function startStrictServer(
  server: TestAuthority,
  clients: TestAuthority,
  version: 'tls1_2' | 'tls1_3',
): Promise<StrictServer> {
  const folder = await mkdtemp(join(tmpdir(), 'strict-server-'));
  const file = async (name: string, content: string): Promise<string> => {
    const path = join(folder, name);
    await writeFile(path, content);
    return path;
  };
  const cert = await file('cert.pem', server.server.cert);
  const key = await file('key.pem', server.server.key);
  const ca = await file('ca.pem', clients.ca);
  const identity = ['-cert', cert, '-key', key, '-alpn', 'h2', `-${version}`];
  const demands = ['-CAfile', ca, '-Verify', '1', '-verify_return_error'];
  const child = spawn(...owned('openssl', ['s_server', '-accept', '127.0.0.1:0', ...identity, ...demands]));
  let said = '';
  child.stdout.on('data', (bytes: Buffer) => {
    said += bytes.toString();
  });
  child.stderr.resume();
  const port = (): string | undefined => /ACCEPT 127\.0\.0\.1:(\d+)/.exec(said)?.[1];
  await until(() => port() !== undefined, 'openssl listens');
  return {
    origin: `https://127.0.0.1:${port()}`,
    [Symbol.asyncDispose]: async () => {
      child.kill();
      if (child.exitCode === null) await once(child, 'exit');
      await rm(folder, { recursive: true });
    },
  };
}
