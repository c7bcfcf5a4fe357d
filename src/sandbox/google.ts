import { randomUUID } from 'node:crypto';
import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import { monotonic } from '../lib/monotonic.ts';
import type { ThrowAwayCa } from './certificates.ts';
import { createFaultScript, scriptedBy } from './fault-script.ts';
import { type Fault, type FaultScope, faultWords, type PushHooks } from './faults.ts';
import { createGoogleAccounts, type GoogleAccounts } from './google-accounts.ts';
import { renderGoogleFault, renderGoogleRefusal } from './google-error.ts';
import { createGoogleJudge, type GoogleAnswer, googleTokenOf, readGoogleBody } from './google-judge.ts';
import { createGoogleTokenEndpoint } from './google-token-endpoint.ts';
import { createGoogleTokens, type GoogleTokens } from './google-tokens.ts';
import type { HttpFault } from './http-fault.ts';
import { createLatest, type Latest } from './latest.ts';
import { createPushLog, type DeliveredPush, type PushSource } from './push-log.ts';
import { type StandInServer, startSecureServer } from './secure-server.ts';
import { type Judgement, type Reply, serveStream } from './serve-stream.ts';

/** How Google's stand-in behaves. */
export interface GoogleOptions extends PushHooks {
  readonly ca: ThrowAwayCa;
  /** 0, the default, picks a free port. */
  readonly port?: number;
  /** MAX_CONCURRENT_STREAMS of a connection; default 100, as Google's front ends announce. */
  readonly streams?: number;
  /** How long an access token lives, in seconds; default 3599, as Google's do. */
  readonly tokenLifetimeS?: number;
  /** How many requests and pushes are kept to look at; default 1000. */
  readonly keep?: number;
  /** No relay in front: cheaper, but connections cannot be muted or garbled; default false. */
  readonly direct?: boolean;
}

/** A request to messages:send as it arrived, and what became of it. */
interface GoogleRequest {
  readonly token: string;
  readonly headers: IncomingHttpHeaders;
  /** The parsed body; undefined where it was not JSON. */
  readonly body: unknown;
  /** `accepted`, the HTTP status of the refusal, or the kind of the fault that was played instead. */
  readonly ending: string;
  readonly at: number;
}

/** Google's FCM HTTP v1 and its OAuth2 token endpoint (`/token`) on one loopback origin. */
export interface Google extends PushSource, StandInServer {
  /** The messages that were accepted and delivered; `payload` is their `data`. */
  readonly received: Latest<DeliveredPush>;
  /** Every request to messages:send, refused ones and those that met a fault included. */
  readonly requests: Latest<GoogleRequest>;
  createServiceAccount: GoogleAccounts['create'];
  /** From now on this push token is UNREGISTERED. */
  unregisterDevice(token: string): void;
  /** How many access tokens were given out. */
  tokensIssued: GoogleTokens['issued'];
  /** Every access token given out so far stops to work. */
  revokeTokens: GoogleTokens['revokeAll'];
  /** Plays `fault` for the messages in `scope`; every one, unless told. Faults come in the order of writing. */
  script(fault: Fault, scope?: FaultScope): void;
  /** Plays `fault` for requests to the token endpoint. */
  scriptToken(fault: HttpFault, scope?: Pick<FaultScope, 'times'>): void;
  clearFaults(): void;
}

const DEFAULTS = { port: 0, streams: 100, tokenLifetimeS: 3599, keep: 1000, direct: false };

function render(answer: GoogleAnswer): Reply {
  return answer.kind === 'refused'
    ? renderGoogleRefusal(answer)
    : {
        status: 200,
        headers: { 'content-type': 'application/json; charset=UTF-8' },
        body: JSON.stringify({ name: `projects/${answer.projectId}/messages/0:${randomUUID()}` }),
      };
}

/** Starts Google's stand-in: HTTP/2 over TLS on 127.0.0.1 with a certificate of `ca`; the token endpoint speaks HTTP/1.1 too. */
export async function startGoogle(options: GoogleOptions): Promise<Google> {
  const settings = { ...DEFAULTS, ...options };
  const tokenUri = (): string => `${server.origin}/token`;
  const accounts = createGoogleAccounts(tokenUri);
  const tokens = createGoogleTokens({ accounts, tokenUri, lifetimeS: settings.tokenLifetimeS });
  const tokenFaults = createFaultScript<HttpFault>();
  const endpoint = createGoogleTokenEndpoint({ tokens, faults: tokenFaults });
  const dead = new Set<string>();
  const judge = createGoogleJudge({ tokens, dead });
  const faults = createFaultScript<Fault>();
  const log = createPushLog(settings.keep);
  const requests = createLatest<GoogleRequest>(settings.keep);

  const serve = async (stream: ServerHttp2Stream, headers: IncomingHttpHeaders): Promise<void> => {
    const at = monotonic();
    // The push token is in the body, so that faults for one token wait for it.
    const body = await readGoogleBody(stream);
    const token = googleTokenOf(body);
    const scripted = faults.take(token) ?? scriptedBy(options, token);
    if (scripted !== undefined) {
      requests.add({ token, headers, body, ending: scripted.fault.kind, at });
      options.onTrouble?.(token, faultWords(scripted.fault));
    }
    const answer = async (): Promise<Judgement> => {
      const verdict = judge(headers, body);
      const ending = verdict.kind === 'accepted' ? 'accepted' : String(verdict.status);
      if (scripted === undefined) {
        requests.add({ token, headers, body, ending, at });
        if (verdict.kind === 'refused') options.onTrouble?.(token, `${ending} ${verdict.message}`);
      }
      const deliver = (): void => {
        if (verdict.kind === 'accepted')
          log.add({ token, headers, payload: verdict.message.data, at: monotonic() });
      };
      return { reply: render(verdict), deliver };
    };
    await serveStream({ stream, scripted, server, judge: answer, render: renderGoogleFault });
  };

  const server = await startSecureServer({
    ca: settings.ca,
    port: settings.port,
    streams: settings.streams,
    requestClientCertificate: false,
    direct: settings.direct,
    onStream: (stream, headers) => {
      const path = headers[':path'];
      void (path === '/token' ? endpoint.onStream(stream, headers) : serve(stream, headers));
    },
    onHttp1: (request, response) => void endpoint.onHttp1(request, response),
  });
  return {
    ...server,
    received: log,
    requests,
    onPush: log.onPush,
    onAnyPush: log.onAnyPush,
    createServiceAccount: accounts.create,
    unregisterDevice: (token) => {
      dead.add(token);
    },
    tokensIssued: tokens.issued,
    revokeTokens: tokens.revokeAll,
    script: (fault, { token, times, delivered } = {}) => faults.add(fault, { key: token, times, delivered }),
    scriptToken: (fault, { times } = {}) => tokenFaults.add(fault, { times }),
    clearFaults: () => {
      faults.clear();
      tokenFaults.clear();
    },
  };
}
