import { randomUUID } from 'node:crypto';
import type { Http2Session, IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import { monotonic } from '../lib/monotonic.ts';
import { type AppleConnection, createAppleConnection } from './apple-connection.ts';
import { type AppleDevices, createAppleDevices } from './apple-devices.ts';
import { type AppleAnswer, createAppleJudge } from './apple-judge.ts';
import { type AppleKey, createAppleKeys } from './apple-keys.ts';
import { APPLE_STATUS } from './apple-refusal.ts';
import type { ThrowAwayCa } from './certificates.ts';
import { createFaultScript, scriptedBy } from './fault-script.ts';
import { type AnswerFault, type Fault, type FaultScope, faultWords, type PushHooks } from './faults.ts';
import { createLatest, type Latest } from './latest.ts';
import { createPushLog, type DeliveredPush, type PushSource } from './push-log.ts';
import { type StandInServer, startSecureServer } from './secure-server.ts';
import { type Judgement, type Reply, serveStream } from './serve-stream.ts';

/** How Apple's stand-in behaves; what is not told is as strict as Apple. */
export interface AppleOptions extends PushHooks {
  readonly ca: ThrowAwayCa;
  /** 0, the default, picks a free port. */
  readonly port?: number;
  /** Stand in for api.sandbox.push.apple.com; default false. */
  readonly sandboxEnvironment?: boolean;
  /** Only tokens told by `registerDevice` are good; default false: every well-formed one is. */
  readonly knownDevicesOnly?: boolean;
  /** Streams of a new connection until its first valid request; default 1. */
  readonly firstStreams?: number;
  /** Streams after it; default 1000. */
  readonly streams?: number;
  /** How soon a key's second provider token is too many, in ms; default 20 minutes, 0: never. */
  readonly minTokenUpdateMs?: number;
  /** How many requests and pushes are kept to look at; default 1000. */
  readonly keep?: number;
  /** No relay in front: cheaper, but connections cannot be muted or garbled; default false. */
  readonly direct?: boolean;
}

/** A request as it arrived, and what became of it. */
interface AppleRequest {
  readonly token: string;
  readonly headers: IncomingHttpHeaders;
  /** Apple's own answer, or the kind of the fault that was played instead. */
  readonly ending: string;
  readonly at: number;
}

/** Apple's push service on loopback. */
export interface Apple extends PushSource, StandInServer {
  /** The pushes that were accepted and delivered. */
  readonly received: Latest<DeliveredPush>;
  /** Every request, refused ones and those that met a fault included. */
  readonly requests: Latest<AppleRequest>;
  registerKey(key: AppleKey): void;
  registerDevice: AppleDevices['register'];
  unregisterDevice: AppleDevices['unregister'];
  /** Plays `fault` for the requests in `scope`; every one, unless told. Faults come in the order of writing. */
  script(fault: Fault, scope?: FaultScope): void;
  clearFaults(): void;
}

const DEFAULTS = {
  port: 0,
  sandboxEnvironment: false,
  knownDevicesOnly: false,
  firstStreams: 1,
  streams: 1000,
  minTokenUpdateMs: 20 * 60_000,
  keep: 1000,
  direct: false,
};

function render(id: string, status: number, body: object, retryAfter?: string): Reply {
  return {
    status,
    headers: {
      'apns-id': id,
      ...(status === 200 ? {} : { 'content-type': 'application/json' }),
      ...(retryAfter === undefined ? {} : { 'retry-after': retryAfter }),
    },
    body: status === 200 ? '' : JSON.stringify(body),
  };
}

function renderFault(id: string, fault: AnswerFault): Reply {
  const { status, reason, timestamp, retryAfter, body } = fault;
  const reply = render(id, status, { reason, timestamp }, retryAfter);
  return body === undefined ? reply : { ...reply, body };
}

function renderAnswer(id: string, answer: AppleAnswer): Reply {
  return answer.kind === 'accepted'
    ? render(id, 200, {})
    : render(id, APPLE_STATUS[answer.reason], { reason: answer.reason, timestamp: answer.timestamp });
}

/** The id that Apple names the push by: the sender's, or a new one. */
function idOf(headers: IncomingHttpHeaders): string {
  const own = headers['apns-id'];
  return typeof own === 'string' ? own : randomUUID().toUpperCase();
}

function tokenOf(headers: IncomingHttpHeaders): string {
  return (headers[':path'] ?? '').replace(/^\/3\/device\/?/, '');
}

/** Starts Apple's stand-in: HTTP/2 over TLS on 127.0.0.1 with a certificate of `ca`. */
export async function startApple(options: AppleOptions): Promise<Apple> {
  const settings = { ...DEFAULTS, ...options };
  const environment = settings.sandboxEnvironment ? 'sandbox' : 'production';
  const keys = createAppleKeys({ environment, minUpdateMs: settings.minTokenUpdateMs });
  const devices = createAppleDevices(settings.knownDevicesOnly);
  const judge = createAppleJudge({ keys, devices });
  const faults = createFaultScript<Fault>();
  const log = createPushLog(settings.keep);
  const requests = createLatest<AppleRequest>(settings.keep);
  const connections = new WeakMap<Http2Session, AppleConnection>();

  /** What `limitStreams` said last: it holds for connections that are yet to be authorized, too. */
  let limit: number | undefined;

  const connectionOf = (session: Http2Session): AppleConnection => {
    const known = connections.get(session) ?? createAppleConnection(session);
    connections.set(session, known);
    return known;
  };

  const serve = (stream: ServerHttp2Stream, headers: IncomingHttpHeaders, rawHeaders: readonly string[]) => {
    const { session } = stream;
    if (session === undefined) return;
    const connection = connectionOf(session);
    const token = tokenOf(headers);
    const id = idOf(headers);
    const scripted = faults.take(token) ?? scriptedBy(options, token);
    const at = monotonic();
    if (scripted !== undefined) {
      requests.add({ token, headers, ending: scripted.fault.kind, at });
      options.onTrouble?.(token, faultWords(scripted.fault));
    }

    const answer = async (): Promise<Judgement> => {
      const before = connection.authorized;
      const verdict = await judge({ body: stream, headers, rawHeaders, token, connection });
      if (connection.authorized && !before) {
        if (!session.destroyed) session.settings({ maxConcurrentStreams: limit ?? settings.streams });
      }
      const ending = verdict.kind === 'accepted' ? 'accepted' : verdict.reason;
      if (scripted === undefined) {
        requests.add({ token, headers, ending, at });
        if (verdict.kind !== 'accepted') options.onTrouble?.(token, ending);
      }
      const deliver = (): void => {
        if (verdict.kind === 'accepted')
          log.add({ token, headers, payload: verdict.payload, at: monotonic() });
      };
      return { reply: renderAnswer(id, verdict), deliver };
    };
    void serveStream({ stream, scripted, server, judge: answer, render: (fault) => renderFault(id, fault) });
  };

  const server = await startSecureServer({
    ca: settings.ca,
    port: settings.port,
    streams: settings.firstStreams,
    requestClientCertificate: true,
    direct: settings.direct,
    onStream: serve,
  });
  return {
    ...server,
    limitStreams: (streams) => {
      limit = streams;
      server.limitStreams(streams);
    },
    received: log,
    requests,
    onPush: log.onPush,
    onAnyPush: log.onAnyPush,
    registerKey: keys.register,
    registerDevice: devices.register,
    unregisterDevice: devices.unregister,
    script: (fault, { token, times, delivered } = {}) => faults.add(fault, { key: token, times, delivered }),
    clearFaults: faults.clear,
  };
}
