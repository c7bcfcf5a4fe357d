import { connect, type Socket } from 'node:net';

/** What came back over a bare connection. */
export interface Exchange {
  /** Everything, as Latin-1. */
  readonly text: string;
  /** The status of each answer, interim ones (1xx) left out. */
  readonly statuses: readonly number[];
  /** The service closed the connection. */
  readonly closed: boolean;
}

/** How a bare exchange ends. */
export interface ExchangeOptions {
  /** Answers after which it is over; until the service closes, unless told. */
  readonly answers?: number;
  /** Closes our sending half once everything is written. */
  readonly half?: boolean;
  /** Milliseconds after which it fails: a hang; default 20,000. */
  readonly limitMs?: number;
}

/** Opens a connection to the service. */
export function openSocket(url: string): Promise<Socket> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const socket = connect({ host: hostname, port: Number(port), allowHalfOpen: true });
    socket.once('connect', () => {
      socket.off('error', reject);
      // A service that closes while we still write is no failure of the test.
      socket.on('error', () => {});
      resolve(socket);
    });
    socket.once('error', reject);
  });
}

/** Writes bytes as they are and reads until the wanted answers are there or the service closes. */
export async function exchange(
  url: string,
  bytes: string | Uint8Array,
  options: ExchangeOptions = {},
): Promise<Exchange> {
  const socket = await openSocket(url);
  const reading = readAnswers(socket, options);
  if (options.half === true) socket.end(bytes);
  else socket.write(bytes);
  return reading;
}

/** Reads a connection until the wanted answers are there or the service closes it, then destroys it. */
export function readAnswers(socket: Socket, options: ExchangeOptions = {}): Promise<Exchange> {
  return new Promise((resolve, reject) => {
    let text = '';
    const finish = (closed: boolean): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve({ text, statuses: statusesOf(text), closed });
    };
    const limitMs = options.limitMs ?? 20_000;
    const timer = setTimeout(() => {
      socket.destroy();
      reject(new Error(`neither answered nor closed within ${limitMs} ms; got ${JSON.stringify(text)}`));
    }, limitMs);
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
      if (options.answers !== undefined && statusesOf(text).length >= options.answers) finish(false);
    });
    socket.once('end', () => finish(true));
    socket.once('close', () => finish(true));
  });
}

/** The statuses of the whole answers in a text: heads are found one behind the other by their Content-Length. */
function statusesOf(text: string): number[] {
  const statuses: number[] = [];
  let at = 0;
  for (;;) {
    const end = text.indexOf('\r\n\r\n', at);
    if (end === -1) return statuses;
    const head = text.slice(at, end);
    const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(head)?.[1] ?? Number.NaN);
    const length = Number(/^content-length: (\d+)$/im.exec(head)?.[1] ?? 0);
    if (Number.isNaN(status) || text.length < end + 4 + length) return statuses;
    if (status >= 200) statuses.push(status);
    at = end + 4 + length;
  }
}

/** A request as text, with Host and Content-Length. */
export function rawRequest(
  method: string,
  path: string,
  headers: readonly string[] = [],
  body: string | undefined = undefined,
): string {
  const length = body === undefined ? [] : [`Content-Length: ${Buffer.byteLength(body)}`];
  return `${[`${method} ${path} HTTP/1.1`, 'Host: service', ...length, ...headers].join('\r\n')}\r\n\r\n${body ?? ''}`;
}
