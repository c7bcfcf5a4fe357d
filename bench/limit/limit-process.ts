import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type ClientHttp2Session, connect } from 'node:http2';
import { parse } from 'node:querystring';
import { listenOnLoopback } from '../../src/sandbox/listen-on-loopback.ts';
import { answerParent } from '../lib/helper-process.ts';

/**
 * The limit: the least that Node can do for a call. Two requests, of which the first waits for the second, and one push
 * of the same size as the service's. Nothing is validated, stored, logged, counted, timed or tried again.
 */

/** Where the limit pushes to. */
export interface LimitWorld {
  readonly apple: string;
  readonly google: string;
  readonly ca: string;
}

const KEEP_ALIVE_MS = 72_000;
/** As many characters as the service's own header has. */
const AUTHORIZATION = `bearer ${'x'.repeat(180)}`;

/** With a length, since Node would else send chunks. */
const ACK_HEADERS = { 'content-type': 'text/plain', 'content-length': '10' };
const JSON_HEADERS = { 'content-type': 'application/json', 'content-length': '2' };

const waiting = new Map<string, ServerResponse>();
const text = (value: string | string[] | undefined): string => (typeof value === 'string' ? value : '');

const whenRead = (request: IncomingMessage, then: (body: string) => void): void => {
  let body = '';
  request.on('data', (chunk: Buffer) => {
    body += chunk.toString('latin1');
  });
  request.on('end', () => then(body));
};

type Sessions = Readonly<Record<'apple' | 'google', ClientHttp2Session>>;

const push = (sessions: Sessions, responseApi: string, body: string): string => {
  const fields = parse(body);
  const account = text(fields['sip_user_id']);
  const uniqueKey = text(fields['call_id']);
  const isApple = Number(account) % 2 === 0;
  const data = {
    type: 'call',
    unique_key: uniqueKey,
    phonenumber: fields['phonenumber'],
    caller_id: fields['caller_id'],
    response_api: responseApi,
    message_start_time: isApple ? Date.now() / 1000 : (Date.now() / 1000).toFixed(7),
    attempt: isApple ? 1 : '1',
    vg_cid: uniqueKey,
  };
  const stream = isApple ? toApple(sessions.apple, account, uniqueKey) : toGoogle(sessions.google);
  stream.resume();
  stream.end(JSON.stringify(isApple ? { aps: {}, ...data } : { message: { token: GOOGLE_TOKEN, data } }));
  return uniqueKey;
};

const GOOGLE_TOKEN = 'x'.repeat(160);

const toApple = (session: ClientHttp2Session, account: string, id: string) =>
  session.request({
    ':method': 'POST',
    ':path': `/3/device/${account.padStart(64, '0')}`,
    'apns-topic': 'com.example.phone.voip',
    'apns-push-type': 'voip',
    'apns-priority': '10',
    'apns-expiration': '0',
    'apns-id': id,
    authorization: AUTHORIZATION,
  });

const toGoogle = (session: ClientHttp2Session) =>
  session.request({
    ':method': 'POST',
    ':path': '/v1/projects/sandbox-project/messages:send',
    authorization: AUTHORIZATION,
    'content-type': 'application/json',
  });

const startLimit = async ({ apple, google, ca }: LimitWorld): Promise<string> => {
  const sessions = { apple: connect(apple, { ca }), google: connect(google, { ca }) };
  const server = createServer((request, response) => {
    if (request.url === '/api/incoming-call/') {
      whenRead(request, (body) => waiting.set(push(sessions, responseApi, body), response));
      return;
    }
    if (request.url !== '/api/call-response/') {
      // A registration: the least is not to keep it.
      whenRead(request, () => response.writeHead(201, JSON_HEADERS).end('""'));
      return;
    }
    whenRead(request, (body) => {
      const isJson = body.startsWith('{');
      const key: unknown = isJson ? JSON.parse(body).unique_key : parse(body)['unique_key'];
      const pbx = typeof key === 'string' ? waiting.get(key) : undefined;
      if (typeof key === 'string') waiting.delete(key);
      pbx?.writeHead(200, ACK_HEADERS).end('status=ACK');
      response.writeHead(pbx === undefined ? 404 : 202, JSON_HEADERS).end('""');
    });
  });
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  const port = await listenOnLoopback(server, 0);
  const url = `http://127.0.0.1:${port}`;
  const responseApi = `${url}/api/call-response/`;
  return url;
};

/** What this process can be asked. */
const methods = {
  /** Returns where it listens. */
  start: startLimit,
  /** Forgets the calls whose PBX has hung up: who waits for nothing is no part of the handshake. */
  forget: async () => waiting.clear(),
};

/** The bare server. */
export type LimitProcess = typeof methods;

answerParent(methods);
