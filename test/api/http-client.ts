import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';

/** A body and the Content-Type that goes with it. */
export interface TypedBody {
  readonly type: string | undefined;
  readonly body: string | Uint8Array;
}

/** A request, as precisely as a test wants it. */
export interface Asked {
  /** Default POST. */
  readonly method?: string;
  readonly path: string;
  readonly type?: string | undefined;
  readonly body?: string | Uint8Array | undefined;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sends the body in chunks instead of with a Content-Length. */
  readonly chunked?: boolean;
}

/** The answer, whole. */
export interface Answered {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly contentType: string | undefined;
}

/** Milliseconds after which an answer is missing: a hang is a failure of its own. */
const PATIENCE_MS = 20_000;

/** Sends one request over a connection of its own and reads the answer; redirects are not followed. */
export function send(url: string, asked: Asked): Promise<Answered> {
  const body = asked.body === undefined ? Buffer.alloc(0) : Buffer.from(asked.body);
  const headers: Record<string, string | number> = { ...asked.headers };
  if (asked.type !== undefined) headers['content-type'] = asked.type;
  if (asked.chunked === true) headers['transfer-encoding'] = 'chunked';
  else if (asked.body !== undefined) headers['content-length'] = body.length;
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const request = httpRequest({
      hostname: hostname.replace(/^\[|\]$/g, ''),
      port,
      method: asked.method ?? 'POST',
      path: asked.path,
      headers,
      agent: false,
    });
    const timer = setTimeout(() => {
      request.destroy(
        new Error(`${asked.method ?? 'POST'} ${asked.path} got no answer in ${PATIENCE_MS} ms`),
      );
    }, PATIENCE_MS);
    request.once('close', () => clearTimeout(timer));
    request.once('error', reject);
    request.once('response', (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.once('error', reject);
      response.once('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: Buffer.concat(chunks).toString('utf8'),
          contentType: response.headers['content-type'],
        }),
      );
    });
    if (asked.body === undefined) request.end();
    else request.end(body);
  });
}

/** Fields as JSON. */
export function asJson(fields: unknown): TypedBody {
  return { type: 'application/json', body: JSON.stringify(fields) };
}

/** Fields as a form. */
export function asForm(fields: Readonly<Record<string, string>>): TypedBody {
  return { type: 'application/x-www-form-urlencoded', body: new URLSearchParams(fields).toString() };
}

/** Fields as multipart/form-data. */
export function asMultipart(fields: Readonly<Record<string, string>>): TypedBody {
  const parts = Object.entries(fields).map(
    ([name, value]) => `--line\r\ncontent-disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`,
  );
  return { type: 'multipart/form-data; boundary=line', body: `${parts.join('')}--line--\r\n` };
}
