import { createPrivateKey } from 'node:crypto';
import { SignJWT } from 'jose';
import { type Dispatcher, request } from 'undici';
import type { AppCredential } from '../../../apps/app.ts';
import { connectFailure } from '../../../http2/channel-connect-error.ts';
import { errorDetail } from '../../../http2/channel-detail.ts';
import type { Clock } from '../../../lib/clock.ts';
import { createHttpAgent } from '../../../lib/http-agent.ts';
import type { ForwardProxy } from '../../../lib/proxy-route.ts';
import { answerDetail } from '../../answer-detail.ts';

/** Google's credential for an app. */
export type FcmAccount = Extract<AppCredential, { kind: 'fcm-service-account' }>;

/** What the account may do with the token. */
const SCOPE = 'https://www.googleapis.com/auth/firebase.messaging';
const GRANT = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
/** Largest answer that is read, bytes; Google's are about one KiB. */
const MAX_ANSWER = 65_536;
/** A lifetime that is not stated, and the longest that is believed, seconds. */
const USUAL_LIFETIME_S = 3_600;
const LONGEST_LIFETIME_S = 86_400;

/**
 * How asking for an OAuth token ended. The reasons are a closed set; `detail` is what the token endpoint said, or why there
 * was no answer, for the log.
 */
export type OauthAnswer =
  | { readonly kind: 'token'; readonly token: string; readonly lifetimeMs: number }
  /** The account is not accepted; asking again does not help. */
  | {
      readonly kind: 'app-fault';
      readonly reason:
        | 'key-unusable'
        | 'oauth-invalid-grant'
        | 'oauth-invalid-client'
        | 'oauth-unauthorized'
        | 'oauth-refused';
      readonly detail?: string;
    }
  | {
      readonly kind: 'unavailable';
      readonly reason: 'oauth-unreachable' | 'oauth-timeout' | 'oauth-server-error' | 'oauth-bad-answer';
      readonly detail?: string;
      /** No connection can be made, e.g. because nothing listens. */
      readonly certain?: true;
    };

/** Questions that run at once, and how often `timeoutMs` has to pass without an answer to any before that is a time-out. */
const MOST_QUESTIONS = 5;

/**
 * Asks until `signal` aborts. A question without an answer after `timeoutMs` goes on, because the path may be slow, and
 * another one is asked beside it, because that one may hang for good. The first answer counts; there is none after
 * 5 x `timeoutMs`, with as many questions. Never rejects.
 */
export type FetchToken = (timeoutMs: number, signal: AbortSignal) => Promise<OauthAnswer>;

/**
 * Asks the account's token address by the JWT bearer grant of RFC 7523, as
 * https://developers.google.com/identity/protocols/oauth2/service-account#httprest describes it.
 * Throws when the account's key is no private key. `proxy` absent: directly.
 */
export function createFetchToken(account: FcmAccount, clock: Clock, proxy?: ForwardProxy): FetchToken {
  const key = createPrivateKey(account.privateKey);

  async function assertion(): Promise<string> {
    const now = Math.floor(clock.wall() / 1000);
    return new SignJWT({ scope: SCOPE })
      .setProtectedHeader({ alg: 'RS256', typ: 'JWT', kid: account.privateKeyId })
      .setIssuer(account.clientEmail)
      .setAudience(account.tokenUri)
      .setIssuedAt(now)
      .setExpirationTime(now + 3_600)
      .sign(key);
  }

  return async (timeoutMs, signal) => {
    let signed: string;
    try {
      signed = await assertion();
    } catch {
      // The error may quote the key.
      return { kind: 'app-fault', reason: 'key-unusable' };
    }
    const aborter = new AbortController();
    const abort = (): void => aborter.abort();
    signal.addEventListener('abort', abort);
    if (signal.aborted) abort();
    const dispatcher = createHttpAgent({ proxy, connectTimeoutMs: timeoutMs });
    const question = (): Promise<OauthAnswer> =>
      askOnce(account.tokenUri, signed, dispatcher, aborter.signal);
    try {
      return await firstOf(question, timeoutMs, clock);
    } finally {
      abort();
      // Once an hour: no connection is worth keeping.
      void dispatcher.destroy();
      signal.removeEventListener('abort', abort);
    }
  };
}

/** Asks again each `everyMs` beside what has no answer yet. */
function firstOf(question: () => Promise<OauthAnswer>, everyMs: number, clock: Clock): Promise<OauthAnswer> {
  return new Promise((resolve) => {
    let asked = 0;
    let cancel = (): void => {};
    const next = (): void => {
      if (asked === MOST_QUESTIONS) {
        resolve({ kind: 'unavailable', reason: 'oauth-timeout' });
        return;
      }
      asked += 1;
      cancel = clock.after(everyMs, next);
      void question().then((answer) => {
        cancel();
        resolve(answer);
      });
    };
    next();
  });
}

async function askOnce(
  uri: string,
  signed: string,
  dispatcher: Dispatcher,
  signal: AbortSignal,
): Promise<OauthAnswer> {
  try {
    const answer = await request(uri, {
      dispatcher,
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' },
      body: new URLSearchParams({ grant_type: GRANT, assertion: signed }).toString(),
      signal,
    });
    return readAnswer(answer.statusCode, await readBounded(answer.body));
  } catch (error) {
    const unreachable = { kind: 'unavailable', reason: 'oauth-unreachable' } as const;
    if (!(error instanceof Error)) return { ...unreachable, detail: String(error) };
    const { certain } = connectFailure(error, false);
    return { ...unreachable, detail: errorDetail(error), ...(certain !== undefined && { certain: true }) };
  }
}

/** Undefined for an answer over the bound, whose rest is not read. */
async function readBounded(body: Dispatcher.ResponseData['body']): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body) {
    if (!Buffer.isBuffer(chunk)) return undefined;
    size += chunk.length;
    if (size > MAX_ANSWER) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function readAnswer(status: number, text: string | undefined): OauthAnswer {
  const body = text === undefined ? {} : parse(text);
  const { error, error_description: description } = body;
  const words = [error, description].filter((word) => typeof word === 'string').join(': ');
  const detail = answerDetail(`HTTP ${status}`, words);
  if (status === 429 || status === 408 || status >= 500)
    return { kind: 'unavailable', reason: 'oauth-server-error', detail };
  if (status !== 200) return { kind: 'app-fault', reason: refusal(error), detail };
  const { access_token: token, expires_in: lifetime } = body;
  // The token becomes a header's value: nothing but visible ASCII may be in it.
  if (typeof token !== 'string' || !/^[\x21-\x7e]+$/.test(token))
    return { kind: 'unavailable', reason: 'oauth-bad-answer', detail };
  return { kind: 'token', token, lifetimeMs: lifetimeSeconds(lifetime) * 1000 };
}

function lifetimeSeconds(value: unknown): number {
  const seconds = Number(value ?? USUAL_LIFETIME_S);
  return seconds > 0 ? Math.min(seconds, LONGEST_LIFETIME_S) : USUAL_LIFETIME_S;
}

/** RFC 6749 section 5.2; a redirect counts as a refusal, because the assertion is for this address alone. */
function refusal(error: unknown): Extract<OauthAnswer, { kind: 'app-fault' }>['reason'] {
  if (error === 'invalid_grant') return 'oauth-invalid-grant';
  if (error === 'invalid_client') return 'oauth-invalid-client';
  if (error === 'unauthorized_client') return 'oauth-unauthorized';
  return 'oauth-refused';
}

function parse(text: string): {
  readonly access_token?: unknown;
  readonly expires_in?: unknown;
  readonly error?: unknown;
  readonly error_description?: unknown;
} {
  try {
    const parsed: unknown = JSON.parse(text);
    return typeof parsed === 'object' && parsed !== null ? parsed : {};
  } catch {
    return {};
  }
}
