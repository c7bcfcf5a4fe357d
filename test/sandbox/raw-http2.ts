import {
  type ClientHttp2Session,
  connect,
  type IncomingHttpHeaders,
  type SecureClientSessionOptions,
} from 'node:http2';
import { setTimeout as sleep } from 'node:timers/promises';

/** How a request on a raw HTTP/2 session ended. */
export interface RawEnding {
  /** 0: no answer. */
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** RFC 9113 error code of the stream's end. */
  readonly code: number;
  readonly error: Error | undefined;
}

/** A session whose errors are seen on its streams and by `closed`. */
export function openSession(origin: string, options: SecureClientSessionOptions): ClientHttp2Session {
  const session = connect(origin, options);
  session.on('error', () => undefined);
  return session;
}

/** Sends one request and waits until its stream is closed. Never rejects. */
export function ask(
  session: ClientHttp2Session,
  headers: Readonly<Record<string, string | string[]>>,
  body: string | Uint8Array = '',
): Promise<RawEnding> {
  return new Promise((resolve) => {
    const stream = session.request({ ':method': 'POST', ...headers });
    let answer: IncomingHttpHeaders = {};
    let error: Error | undefined;
    const chunks: Buffer[] = [];
    stream.on('response', (received) => {
      answer = received;
    });
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.on('error', (cause) => {
      error = cause;
    });
    stream.on('close', () =>
      resolve({
        status: Number(answer[':status'] ?? 0),
        headers: answer,
        body: Buffer.concat(chunks).toString('utf8'),
        code: stream.rstCode ?? 0,
        error,
      }),
    );
    stream.end(body);
  });
}

/** Waits until `holds`, looking every few milliseconds; throws after ten seconds. */
export async function until(holds: () => boolean, what: string): Promise<void> {
  const end = performance.now() + 10_000;
  while (!holds()) {
    if (performance.now() > end) throw new Error(`Waited ten seconds for: ${what}`);
    await sleep(5);
  }
}
