import { randomUUID } from 'node:crypto';
import { Agent, type Dispatcher, request } from 'undici';
import { CALL_OUTCOMES, type CallOutcome } from '../../calls/call-outcome.ts';
import { errorCode } from '../../lib/error-code.ts';
import { monotonic } from '../../lib/monotonic.ts';
import { CommandFailed } from '../kit/command-context.ts';
import { oneLine } from '../kit/text-table.ts';
import { TEST_CALLER } from './direct-pusher.ts';
import { OTHER_CERTIFICATE, type ServiceTls } from './service-tls.ts';

/** A test call, asked for as a PBX does. */
export interface ServiceAsk {
  /** The service, ending in `/`. */
  readonly baseUrl: string;
  readonly account: number;
  readonly phoneNumber: string;
  readonly pbxToken: string | undefined;
  /** How its certificate is verified, and what is shown to it. */
  readonly tls: ServiceTls;
  readonly timeoutMs: number;
}

/** What the service said; times are milliseconds from the request. */
export type ServiceAnswer =
  | {
      readonly kind: 'ended';
      readonly outcome: CallOutcome;
      /** What a PBX reads: `status=ACK` or `status=NAK`. */
      readonly word: string;
      readonly reason: string | null;
      readonly pushAcceptedMs: number | null;
      readonly appAnsweredMs: number | null;
      readonly tookMs: number;
    }
  /** Nothing listens there. */
  | { readonly kind: 'nobody'; readonly why: string };

const NOBODY: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ENOTFOUND: 'unknown host name',
  EAI_AGAIN: 'the host name cannot be looked up',
  EHOSTUNREACH: 'no route to the host',
  ENETUNREACH: 'no route to the network',
  UND_ERR_CONNECT_TIMEOUT: 'no connection in time',
};

/** No answer of the service is longer, in bytes. */
const MAX_ANSWER = 4_096;

/** Asks the service for a test call and waits for its end. Throws `CommandFailed` for an answer that is none. */
export async function askService(ask: ServiceAsk): Promise<ServiceAnswer> {
  const startedAt = monotonic();
  const timedOut = new AbortController();
  const timer = setTimeout(() => timedOut.abort(), ask.timeoutMs);
  const dispatcher = new Agent({ connect: ask.tls });
  try {
    const answer = await request(new URL('api/incoming-call/', ask.baseUrl), {
      method: 'POST',
      dispatcher,
      headers: headersOf(ask),
      body: new URLSearchParams({
        sip_user_id: String(ask.account),
        phonenumber: ask.phoneNumber,
        caller_id: TEST_CALLER,
        call_id: randomUUID(),
      }).toString(),
      signal: timedOut.signal,
      headersTimeout: 0,
      bodyTimeout: 0,
      reset: true,
    });
    return readAnswer(answer, await readWord(answer.body), monotonic() - startedAt, ask.baseUrl);
  } catch (error) {
    if (error instanceof CommandFailed) throw error;
    if (timedOut.signal.aborted) {
      throw new CommandFailed(`${ask.baseUrl} gave no answer within ${ask.timeoutMs} ms.`, 1, {
        cause: error,
      });
    }
    const code = errorCode(error) ?? 'unknown error';
    const why = NOBODY[code];
    if (why !== undefined) return { kind: 'nobody', why };
    throw new CommandFailed(cannotBeAsked(ask.baseUrl, code), 1, { cause: error });
  } finally {
    clearTimeout(timer);
    await dispatcher.destroy();
  }
}

function headersOf({ pbxToken }: ServiceAsk): Record<string, string> {
  return {
    'content-type': 'application/x-www-form-urlencoded',
    'x-wake-trace': '1',
    ...(pbxToken === undefined ? {} : { authorization: `Bearer ${pbxToken}` }),
  };
}

async function readWord(body: Dispatcher.ResponseData['body']): Promise<string> {
  let text = '';
  for await (const chunk of body) {
    text += String(chunk);
    if (text.length > MAX_ANSWER) break;
  }
  return oneLine(text.slice(0, MAX_ANSWER));
}

function readAnswer(
  { statusCode, headers }: Dispatcher.ResponseData,
  word: string,
  tookMs: number,
  baseUrl: string,
): ServiceAnswer {
  const outcome = CALL_OUTCOMES.find((known) => known === headers['x-wake-outcome']);
  if (outcome === undefined) throw new CommandFailed(strangeAnswer(statusCode, word, baseUrl));
  const timings = String(headers['server-timing'] ?? '');
  const reason = headers['x-wake-reason'];
  return {
    kind: 'ended',
    outcome,
    word,
    reason: reason === undefined ? null : oneLine(String(reason)),
    pushAcceptedMs: duration(timings, 'push'),
    appAnsweredMs: duration(timings, 'answer'),
    tookMs,
  };
}

/** `Server-Timing` (https://www.w3.org/TR/server-timing/), as the service writes it. */
function duration(timings: string, step: string): number | null {
  const found = new RegExp(`(?:^|,)\\s*${step};dur=(\\d+(?:\\.\\d+)?)`).exec(timings)?.[1];
  return found === undefined ? null : Number(found);
}

/** What Node says of a certificate that it does not trust (nodejs.org/api/tls.html#x509-certificate-error-codes). */
const UNTRUSTED = /^(CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|ERR_TLS_CERT_)/;

function cannotBeAsked(baseUrl: string, code: string): string {
  if (code === OTHER_CERTIFICATE) {
    return `${baseUrl} shows another certificate than TLS_CERT_FILE: has it been reloaded (SIGHUP)?`;
  }
  if (!UNTRUSTED.test(code)) return `${baseUrl} cannot be asked (${code}).`;
  return `The certificate of ${baseUrl} is not trusted (${code}): name its authority in NODE_EXTRA_CA_CERTS, and the host as the certificate does.`;
}

function strangeAnswer(status: number, word: string, baseUrl: string): string {
  if (status === 403) return `${baseUrl} refuses this machine as a PBX: ${word}`;
  if (status === 400) return `${baseUrl} refuses the test call: ${word}`;
  return `${baseUrl} does not answer as this service does (HTTP ${status}): check --via, HOST and PORT, or PBX_HOST and PBX_PORT.`;
}
