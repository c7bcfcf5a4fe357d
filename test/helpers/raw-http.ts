import { once } from 'node:events';
import { connect } from 'node:net';

/**
 * A request as a client writes it: request line without the version, header lines in the client's order and spelling.
 * `*` as the value of Host or Content-Length is filled in.
 */
export interface RawRequest {
  /** Method and target, e.g. `POST /api/check-in/`. */
  readonly line: string;
  readonly headers: readonly string[];
  readonly body: string | Buffer;
  /** Default 1.1. */
  readonly version?: '1.0' | '1.1';
}

/** An answer as it came over the wire, whole. */
export interface RawAnswer {
  readonly status: number;
  readonly statusLine: string;
  /** By lower-case name. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
}

/** One TCP connection to the service. */
export interface RawConnection {
  /** What `Host` is filled in with. */
  readonly host: string;
  write(bytes: Buffer | string): void;
  /** The next answer, interim ones (1xx) included; rejects when the connection ends before it. */
  read(): Promise<RawAnswer>;
  send(request: RawRequest): Promise<RawAnswer>;
  /** True once the service has closed it. */
  closed(): boolean;
  /** Hangs up. */
  close(): void;
}

/** Milliseconds without a byte after which a connection is given up: no answer of these tests takes as long. */
const SILENCE_MS = 60_000;

/** The bytes of a request. */
export function requestBytes(request: RawRequest, host: string): Buffer {
  const body = Buffer.from(request.body);
  const headers = request.headers.map((header) =>
    header
      .replace(/^(host: )\*$/i, (_all, name: string) => name + host)
      .replace(/^(content-length: )\*$/i, (_all, name: string) => name + body.length),
  );
  const head = [`${request.line} HTTP/${request.version ?? '1.1'}`, ...headers, '', ''].join('\r\n');
  return Buffer.concat([Buffer.from(head), body]);
}

/** The same request with its body in chunks of 7 bytes, as a proxy or a streaming client sends it. */
export function inChunks(request: RawRequest): RawRequest {
  const body = Buffer.from(request.body);
  const parts: Buffer[] = [];
  for (let at = 0; at < body.length; at += 7) {
    const part = body.subarray(at, at + 7);
    parts.push(Buffer.from(`${part.length.toString(16)}\r\n`), part, Buffer.from('\r\n'));
  }
  const headers = request.headers.filter((header) => !/^content-length:/i.test(header));
  return {
    ...request,
    headers: [...headers, 'Transfer-Encoding: chunked'],
    body: Buffer.concat([...parts, Buffer.from('0\r\n\r\n')]),
  };
}

/** Opens a connection to the host of `url`. */
export async function connectRaw(url: string): Promise<RawConnection> {
  const { hostname, port, host } = new URL(url);
  const socket = connect(Number(port), hostname);
  socket.setNoDelay(true);
  socket.setTimeout(SILENCE_MS, () => socket.destroy());
  await once(socket, 'connect');
  let received = Buffer.alloc(0);
  let ended = false;
  let changed = () => {};
  socket.on('data', (bytes) => {
    received = Buffer.concat([received, bytes]);
    changed();
  });
  socket.on('error', () => {});
  socket.on('close', () => {
    ended = true;
    changed();
  });

  const read = async (): Promise<RawAnswer> => {
    for (;;) {
      const parsed = parseAnswer(received);
      if (parsed !== undefined) {
        received = received.subarray(parsed.length);
        return parsed.answer;
      }
      if (ended) throw new Error(`the connection ended after ${received.length} bytes of an answer`);
      await new Promise<void>((resolve) => {
        changed = resolve;
      });
    }
  };
  return {
    host,
    write: (bytes) => {
      socket.write(bytes);
    },
    read,
    send: (request) => {
      socket.write(requestBytes(request, host));
      return read();
    },
    closed: () => ended,
    close: () => {
      socket.destroy();
    },
  };
}

/** Sends one request over a connection of its own. */
export async function sendRaw(url: string, request: RawRequest): Promise<RawAnswer> {
  const connection = await connectRaw(url);
  try {
    return await connection.send(request);
  } finally {
    connection.close();
  }
}

/** The first answer in `bytes` and its length; undefined while it is incomplete. Throws on one without a length. */
function parseAnswer(bytes: Buffer): { readonly answer: RawAnswer; readonly length: number } | undefined {
  const headEnd = bytes.indexOf('\r\n\r\n');
  if (headEnd === -1) return undefined;
  const [statusLine = '', ...lines] = bytes.toString('latin1', 0, headEnd).split('\r\n');
  const headers = new Map(lines.map(nameAndValue));
  const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(statusLine)?.[1]);
  const bodyStart = headEnd + 4;
  const announced = headers.get('content-length');
  if (announced === undefined && status >= 200)
    throw new Error(`an answer without Content-Length: ${statusLine}`);
  const length = bodyStart + Number(announced ?? 0);
  if (bytes.length < length) return undefined;
  return { answer: { status, statusLine, headers, body: bytes.toString('utf8', bodyStart, length) }, length };
}

function nameAndValue(line: string): [string, string] {
  const colon = line.indexOf(':');
  return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
}
