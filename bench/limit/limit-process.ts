import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { parse } from 'node:querystring';
import { listenOnLoopback } from '../../src/sandbox/listen-on-loopback.ts';
import { answerParent } from '../lib/helper-process.ts';
import { connectRaw, type PushOrigins } from './raw-push.ts';

/**
 * The limit: the least that Node can do for a call. Two requests, of which the first waits for the second, and one push
 * of the same size as the service's. Nothing is validated, stored, logged, counted, timed or tried again.
 */

const KEEP_ALIVE_MS = 72_000;
/** With a length, since Node would else send chunks. */
const ACK_HEADERS = { 'content-type': 'text/plain', 'content-length': '10' };
const JSON_HEADERS = { 'content-type': 'application/json', 'content-length': '2' };

const waiting = new Map<string, ServerResponse>();
function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function whenRead(request: IncomingMessage, then: (body: string) => void): void {
  let body = '';
  request.on('data', (chunk: Buffer) => {
    body += chunk.toString('latin1');
  });
  request.on('end', () => then(body));
}

async function startLimit(origins: PushOrigins): Promise<string> {
  const push = connectRaw(origins);

  const takeCall = (body: string, pbx: ServerResponse): void => {
    const fields = parse(body);
    const uniqueKey = text(fields['call_id']);
    waiting.set(uniqueKey, pbx);
    push({
      account: text(fields['sip_user_id']),
      uniqueKey,
      phoneNumber: fields['phonenumber'],
      callerId: fields['caller_id'],
      responseApi,
    });
  };
  const takeAnswer = (body: string, app: ServerResponse): void => {
    const key = text(body.startsWith('{') ? JSON.parse(body).unique_key : parse(body)['unique_key']);
    const pbx = waiting.get(key);
    waiting.delete(key);
    pbx?.writeHead(200, ACK_HEADERS).end('status=ACK');
    app.writeHead(pbx === undefined ? 404 : 202, JSON_HEADERS).end('""');
  };
  const server = createServer((request, response) => {
    switch (request.url) {
      case '/api/incoming-call/':
        return whenRead(request, (body) => takeCall(body, response));
      case '/api/call-response/':
        return whenRead(request, (body) => takeAnswer(body, response));
      default:
        // A registration: the least is not to keep it.
        return whenRead(request, () => response.writeHead(201, JSON_HEADERS).end('""'));
    }
  });
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  const url = `http://127.0.0.1:${await listenOnLoopback(server, 0)}`;
  const responseApi = `${url}/api/call-response/`;
  return url;
}

/** What this process can be asked. */
const methods = {
  /** Returns where it listens. */
  start: startLimit,
  /** Forgets the calls whose PBX has hung up, for which it does not listen: that is no part of the handshake. */
  forget: async () => {
    for (const [key, pbx] of waiting) if (pbx.destroyed) waiting.delete(key);
  },
};

/** The bare server. */
export type LimitProcess = typeof methods;

answerParent(methods);
