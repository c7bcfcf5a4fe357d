import { type Dispatcher, request } from 'undici';
import { createHttpAgent } from '../../lib/http-agent.ts';
import { isRecord } from '../../lib/is-record.ts';
import type { ForwardProxy } from '../../lib/proxy-route.ts';
import type { HttpEvents } from '../http-events.ts';
import type { AccountAccess, AccountVerdict } from './account-access.ts';

/** Connections to the platform API. */
const MAX_CONNECTIONS = 64;
/** Bytes of an answer; a profile is a few hundred. */
const MAX_ANSWER = 256 * 1024;

/**
 * Asks the VoIPGRID platform API whose the credential is: the profile names the user's account, the account names its
 * number, which must be the one to be registered. The Authorization header goes there as it came. No redirect is
 * followed (the credential would go with it). Anything but a clear 200, 401 or 403 means that the platform is away.
 */
export function createPlatformAccess(options: {
  /** Absolute, ends in `/`; a path in it goes before every path that is asked. */
  readonly baseUrl: string;
  /** Path of the profile, behind `baseUrl`. */
  readonly userPath: string;
  /** Milliseconds for both questions together. */
  readonly timeoutMs: number;
  /** Questions that may be under way; above it the verdict is `unavailable` at once. */
  readonly maxQuestions: number;
  /** Undefined: directly. */
  readonly proxy?: ForwardProxy | undefined;
  readonly events: Pick<HttpEvents, 'platformFailed'>;
}): AccountAccess {
  const { events } = options;
  const baseUrl = options.baseUrl.slice(0, -1);
  const agent = createHttpAgent({
    proxy: options.proxy,
    connections: MAX_CONNECTIONS,
    connectTimeoutMs: options.timeoutMs,
    maxResponseSize: MAX_ANSWER,
  });
  let questions = 0;

  const check = async (authorization: string, account: number): Promise<AccountVerdict> => {
    if (questions >= options.maxQuestions) {
      events.platformFailed({ reason: 'too-many-questions' });
      return 'unavailable';
    }
    questions += 1;
    const abort = new AbortController();
    const timer = setTimeout(() => abort.abort(), options.timeoutMs);
    const ask = (url: URL) => askPlatform(agent, url, authorization, abort.signal);
    try {
      return await judge({ ask, baseUrl, profilePath: options.userPath, events }, account);
    } catch (error) {
      events.platformFailed({ reason: abort.signal.aborted ? 'timeout' : 'unreachable', error });
      return 'unavailable';
    } finally {
      clearTimeout(timer);
      questions -= 1;
    }
  };

  return { asks: true, check, close: () => agent.destroy() };
}

interface PlatformAnswer {
  readonly status: number;
  /** The JSON object of the answer; undefined where it is none. */
  readonly fields: Readonly<Record<string, unknown>> | undefined;
}

interface Questions {
  readonly ask: (url: URL) => Promise<PlatformAnswer>;
  /** Without a slash at its end. */
  readonly baseUrl: string;
  readonly profilePath: string;
  readonly events: Pick<HttpEvents, 'platformFailed'>;
}

async function judge(questions: Questions, account: number): Promise<AccountVerdict> {
  const { ask, baseUrl, events } = questions;
  const profile = await ask(new URL(baseUrl + questions.profilePath));
  const refused = refusal(profile, events);
  if (refused !== undefined) return refused;
  if (profile.fields === undefined || !Object.hasOwn(profile.fields, 'app_account')) {
    return nonsense(events, 'profile-without-app-account');
  }
  const path = profile.fields['app_account'];
  if (path === null || path === '' || path === false || path === 0) return 'forbidden';
  const accountUrl = typeof path === 'string' ? platformUrl(baseUrl, path) : undefined;
  if (accountUrl === undefined) return nonsense(events, 'app-account-is-no-path');

  const details = await ask(accountUrl);
  const refusedDetails = refusal(details, events);
  if (refusedDetails !== undefined) return refusedDetails;
  if (details.fields === undefined || !Object.hasOwn(details.fields, 'account_id')) {
    return nonsense(events, 'account-without-account-id');
  }
  return String(details.fields['account_id']) === String(account) ? 'allowed' : 'forbidden';
}

function refusal(
  answer: PlatformAnswer,
  events: Pick<HttpEvents, 'platformFailed'>,
): AccountVerdict | undefined {
  switch (answer.status) {
    case 200:
      return undefined;
    case 401:
      return 'unauthenticated';
    case 403:
      return 'forbidden';
    default:
      // Beyond 599 nothing is defined: it counts as the server's failure, so that the reasons stay a closed set.
      events.platformFailed({ reason: `status-${Math.min(5, Math.floor(answer.status / 100))}xx` });
      return 'unavailable';
  }
}

function nonsense(events: Pick<HttpEvents, 'platformFailed'>, reason: string): AccountVerdict {
  events.platformFailed({ reason });
  return 'unavailable';
}

/** The account's address, only where it is a path on the platform's own host: the credential must not go elsewhere. */
function platformUrl(baseUrl: string, path: string): URL | undefined {
  const onItsHost = /^\/(?![/\\])/.test(path) && URL.canParse(baseUrl + path);
  return onItsHost ? new URL(baseUrl + path) : undefined;
}

async function askPlatform(
  dispatcher: Dispatcher,
  url: URL,
  authorization: string,
  signal: AbortSignal,
): Promise<PlatformAnswer> {
  const answer = await request(url, {
    dispatcher,
    signal,
    headers: { authorization, accept: 'application/json' },
  });
  if (answer.statusCode !== 200) {
    await answer.body.dump();
    return { status: answer.statusCode, fields: undefined };
  }
  return { status: 200, fields: parseObject(await answer.body.text()) };
}

function parseObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
