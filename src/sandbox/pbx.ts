import type { Agent } from 'node:http';
import { type HttpAnswer, sendHttp } from './send-http.ts';

/** How the simulated PBX reaches the service. */
export interface PbxLine {
  /** Base URL of the service, without a slash at the end. */
  readonly url: string;
  /** What PBX_TOKEN is, where it is set. */
  readonly token?: string;
  /** A keep-alive agent to share connections; a new connection a request, unless told. */
  readonly agent?: Agent;
  /** Milliseconds until the PBX gives up; default 30,000. */
  readonly timeoutMs?: number;
}

/** A call for which a phone is to be woken. */
export interface PbxCall extends PbxLine {
  readonly account: number | string;
  readonly phoneNumber: string;
  readonly callerId?: string;
  readonly callId?: string;
  /** Default `form`. */
  readonly format?: 'form' | 'json';
  /** Abort it to hang up. */
  readonly signal?: AbortSignal;
}

/** What the PBX was told. */
export interface PbxAnswer {
  readonly status: number;
  readonly body: string;
  /** The X-Wake-Outcome header. */
  readonly outcome: string | undefined;
  readonly contentType: string | undefined;
  readonly tookMs: number;
}

const DEFAULT_TIMEOUT_MS = 30_000;

function post(
  line: PbxLine & Pick<PbxCall, 'signal' | 'format'>,
  path: string,
  fields: Readonly<Record<string, string>>,
): Promise<HttpAnswer> {
  const json = line.format === 'json';
  return sendHttp({
    method: 'POST',
    url: `${line.url}${path}`,
    headers: {
      accept: '*/*',
      'content-type': json ? 'application/json' : 'application/x-www-form-urlencoded',
      ...(line.token === undefined ? {} : { authorization: `Bearer ${line.token}` }),
    },
    body: json ? JSON.stringify(fields) : new URLSearchParams(fields).toString(),
    agent: line.agent,
    signal: line.signal,
    timeoutMs: line.timeoutMs ?? DEFAULT_TIMEOUT_MS,
  });
}

function read({ status, headers, body, tookMs }: HttpAnswer): PbxAnswer {
  const outcome = headers['x-wake-outcome'];
  return {
    status,
    body,
    outcome: typeof outcome === 'string' ? outcome : undefined,
    contentType: headers['content-type'],
    tookMs,
  };
}

/** Asks for an account's phone to be woken and waits for the answer. Rejects when `signal` hangs up or nobody answers. */
export async function askPbx(call: PbxCall): Promise<PbxAnswer> {
  const fields = {
    sip_user_id: String(call.account),
    phonenumber: call.phoneNumber,
    ...(call.callerId === undefined ? {} : { caller_id: call.callerId }),
    ...(call.callId === undefined ? {} : { call_id: call.callId }),
  };
  return read(await post(call, '/api/incoming-call/', fields));
}

/** Tells the service that a call is over before the phone was ready. */
export async function cancelPbxCall(
  call: PbxLine & { readonly callId: string; readonly reason?: string },
): Promise<PbxAnswer> {
  const fields = {
    call_id: call.callId,
    ...(call.reason === undefined ? {} : { reason: call.reason }),
  };
  return read(await post(call, '/api/call-cancelled/', fields));
}
