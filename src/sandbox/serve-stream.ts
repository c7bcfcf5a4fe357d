import { constants, type ServerHttp2Stream } from 'node:http2';
import type { Scripted } from './fault-script.ts';
import type { AnswerFault, Fault } from './faults.ts';
import { pause } from './pause.ts';
import type { SecureServer } from './secure-server.ts';

/** An answer on a stream. */
export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** What the stand-in thinks of a request, and what happens in the world when it is accepted. */
export interface Judgement {
  readonly reply: Reply;
  readonly deliver: () => void;
}

/** One request on its way through a stand-in. */
export interface Service {
  readonly stream: ServerHttp2Stream;
  readonly scripted: Scripted<Fault> | undefined;
  readonly server: Pick<SecureServer, 'mute' | 'disconnect' | 'garble'>;
  readonly judge: () => Promise<Judgement>;
  readonly render: (fault: AnswerFault) => Reply;
}

/** How long a connection lives on after GOAWAY, in milliseconds, before it is reset. */
const GOAWAY_LINGER_MS = 5_000;

function send(stream: ServerHttp2Stream, { status, headers, body }: Reply): void {
  if (stream.closed || stream.destroyed) return;
  stream.respond({ ...headers, ':status': status });
  stream.end(body);
}

async function sendSlowly(stream: ServerHttp2Stream, reply: Reply, ms: number): Promise<void> {
  if (stream.closed || stream.destroyed) return;
  stream.respond({ ...reply.headers, ':status': reply.status });
  await pause(ms, stream);
  if (!stream.destroyed) stream.end(reply.body);
}

function goAway(service: Service, fault: Extract<Fault, { kind: 'goaway' }>): void {
  const { stream, server } = service;
  const { session, id } = stream;
  if (session === undefined || session.destroyed || id === undefined) return;
  const last = fault.processed ? id : Math.max(0, id - 2);
  const debugData = Buffer.from(JSON.stringify({ reason: fault.reason }));
  session.goaway(fault.code ?? constants.NGHTTP2_NO_ERROR, last, debugData);
  const timer = setTimeout(() => server.disconnect(session), GOAWAY_LINGER_MS);
  session.once('close', () => clearTimeout(timer));
}

/** Plays what is done to a request that was read and judged, instead of the right answer. */
async function spoil(service: Service, fault: Fault, reply: Reply): Promise<void> {
  const { stream, server } = service;
  const session = stream.session;
  switch (fault.kind) {
    case 'answer':
      return send(stream, service.render(fault));
    case 'oversized':
      return send(stream, { status: fault.status, headers: {}, body: 'x'.repeat(fault.bytes) });
    case 'slow-headers':
      if (!stream.closed) stream.additionalHeaders({ ':status': 103 });
      await pause(fault.ms, stream);
      return send(stream, reply);
    case 'slow-body':
      return sendSlowly(stream, reply, fault.ms);
    case 'delay':
      return send(stream, reply);
    case 'stream-limit':
      if (session?.destroyed === false) session.settings({ maxConcurrentStreams: fault.streams });
      return send(stream, reply);
    case 'goaway':
      goAway(service, fault);
      return fault.processed ? send(stream, reply) : undefined;
    case 'hang':
      return undefined;
    case 'reset':
      return stream.close(fault.code);
    case 'refuse':
      return stream.close(constants.NGHTTP2_REFUSED_STREAM);
    case 'disconnect':
      return session === undefined ? undefined : server.disconnect(session);
    case 'mute':
      return session === undefined ? undefined : server.mute(session, fault.fresh);
    case 'garbage':
      return session === undefined ? undefined : server.garble(session);
    default:
      return fault satisfies never;
  }
}

/** Faults after which the push is on its way all the same. */
function deliversAnyway(fault: Fault): boolean {
  return (
    fault.kind === 'delay' ||
    fault.kind === 'slow-headers' ||
    fault.kind === 'slow-body' ||
    fault.kind === 'stream-limit' ||
    (fault.kind === 'goaway' && fault.processed)
  );
}

/** Faults of a server that has not looked at the request. */
function unprocessed(fault: Fault): boolean {
  return fault.kind === 'refuse' || (fault.kind === 'goaway' && !fault.processed);
}

const NOTHING: Reply = { status: 500, headers: {}, body: '' };

/** Serves one request: judged and answered, unless a fault was scripted for it. */
export async function serveStream(service: Service): Promise<void> {
  const { stream, scripted } = service;
  if (scripted !== undefined && unprocessed(scripted.fault)) return spoil(service, scripted.fault, NOTHING);
  if (scripted?.fault.kind === 'delay') await pause(scripted.fault.ms, stream);
  const { reply, deliver } = await service.judge();
  if (scripted === undefined) send(stream, reply);
  else await spoil(service, scripted.fault, reply);
  if (scripted === undefined || scripted.delivered || deliversAnyway(scripted.fault)) deliver();
}
