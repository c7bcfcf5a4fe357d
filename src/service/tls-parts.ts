import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { KnownCertificate, TlsEvents } from '../http/listener/tls-events.ts';
import { createTlsListener, type TlsListener } from '../http/listener/tls-listener.ts';
import { readTlsMaterial, type TlsFiles, type TlsMaterial } from '../lib/tls-material.ts';

/** The TLS of the main listener. */
export interface TlsParts {
  /** Undefined: plain HTTP. */
  readonly listener: TlsListener | undefined;
  /** Reads the files again and serves new connections with them; those that cannot be used change nothing. Never rejects. */
  reload(): Promise<void>;
  /** No expiry is told any more. */
  close(): void;
}

const DAY_MS = 86_400_000;

/** Reads the files; throws where they changed since the settings were checked and cannot be used. */
export function openTls(files: TlsFiles | undefined, events: TlsEvents): TlsParts {
  if (files === undefined) {
    return { listener: undefined, reload: async () => events.nothingToReload(), close: () => {} };
  }
  const first = readTlsMaterial(files, (path) => readFileSync(path, 'utf8'));
  if (!first.ok) throw new Error(first.problems.join('; '));
  let known = certificatesOf(first.material);
  const listener = createTlsListener(first.material, events);
  events.certificatesKnown(known);
  // A service that runs for months has to tell of a certificate that expires meanwhile.
  const daily = setInterval(() => events.certificatesKnown(known), DAY_MS);

  const load = async (): Promise<void> => {
    const reading = readTlsMaterial(files, await readAll(files));
    if (!reading.ok) {
      events.reloadFailed(reading);
      return;
    }
    listener.use(reading.material);
    known = certificatesOf(reading.material);
    events.reloaded(reading.material);
    events.certificatesKnown(known);
  };
  return { listener, reload: oneAtATime(load), close: () => clearInterval(daily) };
}

/** Files may be on a slow disk, and calls must not wait for it: all are read first, then looked at. */
async function readAll(files: TlsFiles): Promise<(path: string) => string> {
  const paths = [
    files.certFile,
    files.keyFile,
    ...(files.pbxClientCaFile === undefined ? [] : [files.pbxClientCaFile]),
  ];
  const settled = await Promise.allSettled(paths.map((path) => readFile(path, 'utf8')));
  const contents = new Map(paths.map((path, index) => [path, settled[index]]));
  return (path) => {
    const content = contents.get(path);
    if (content?.status === 'fulfilled') return content.value;
    throw content?.reason;
  };
}

function certificatesOf({ expiresAt, caExpiresAt }: TlsMaterial): readonly KnownCertificate[] {
  return [
    { setting: 'TLS_CERT_FILE', expiresAt },
    ...(caExpiresAt === undefined
      ? []
      : [{ setting: 'PBX_CLIENT_CA_FILE', expiresAt: caExpiresAt } as const]),
  ];
}

/** One run is under way and at most one waits behind it: what is asked for while one waits is done by that one. */
function oneAtATime(run: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined;
  let next: Promise<void> | undefined;
  const start = (): Promise<void> => {
    if (running === undefined) {
      running = run().finally(() => {
        running = undefined;
      });
      return running;
    }
    next ??= running.then(() => {
      next = undefined;
      return start();
    });
    return next;
  };
  return start;
}
