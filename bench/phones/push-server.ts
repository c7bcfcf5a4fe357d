import { createSecureServer, type ServerHttp2Stream } from 'node:http2';
import type { IssuedCertificate } from '../../src/sandbox/certificates.ts';
import { listenOnLoopback } from '../../src/sandbox/listen-on-loopback.ts';
import { now } from '../lib/clock.ts';

/** What the app finds in a push. */
export type PushPayload = Readonly<Record<string, unknown>>;

/** Told of each push, with the moment at which its headers were there. */
export type OnPush = (payload: PushPayload, arrivedAt: number) => void;

/** Streams at once that Apple allows after the first push, and Google. */
export const STREAMS = { apple: 1_000, google: 100 } as const;

function isRecord(value: unknown): value is PushPayload {
  return typeof value === 'object' && value !== null;
}

/** The keys that the app reads: of Apple's body those on top, of Google's `message.data`. */
function payloadOf(body: string): PushPayload {
  const parsed: unknown = JSON.parse(body);
  if (!isRecord(parsed)) return {};
  const { message } = parsed;
  if (!isRecord(message)) return parsed;
  return isRecord(message['data']) ? message['data'] : {};
}

/**
 * Takes every push: HTTP/2 over TLS on 127.0.0.1, as Apple and Google do, and nothing of what the sandbox checks, which
 * costs as much processor time as the service's own work. Returns the origin.
 */
export async function startPushServer(
  certificate: IssuedCertificate,
  streams: number,
  onPush: OnPush,
): Promise<string> {
  const server = createSecureServer({
    cert: certificate.certificate,
    key: certificate.privateKey,
    settings: { maxConcurrentStreams: streams },
    maxSessionMemory: 64,
  });
  server.on('stream', (stream: ServerHttp2Stream) => {
    const arrivedAt = now();
    let body = '';
    stream.setEncoding('utf8');
    stream.on('data', (text: string) => {
      body += text;
    });
    stream.on('end', () => {
      // A stream that its sender cut off ends as well.
      if (stream.aborted || stream.destroyed) return;
      if (!stream.closed) stream.respond({ ':status': 200 }, { endStream: true });
      onPush(payloadOf(body), arrivedAt);
    });
    // 'close' follows, and there is nothing to do.
    stream.on('error', () => {});
  });
  server.on('session', (session) => session.on('error', () => {}));
  return `https://127.0.0.1:${await listenOnLoopback(server, 0)}`;
}
