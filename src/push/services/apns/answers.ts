import { answerDetail } from '../../answer-detail.ts';

/**
 * What an answer of Apple's means for a push. Several meanings have an action beside their verdict: the provider
 * carries it out.
 */
export type ApnsMeaning =
  | 'accepted'
  /** The token does not fit this environment or topic. */
  | 'token-misfit'
  /** Apple says that the token is dead, and since when. */
  | 'token-dead'
  | 'our-fault'
  | 'app-fault'
  /** The connection was idle too long: a fresh one, once. */
  | 'idle'
  /** The provider token is too old: another one, once. */
  | 'jwt-expired'
  /** Tokens were changed too often: the current one is kept. */
  | 'jwt-changed-too-often'
  | 'payload-too-large'
  | 'device-throttled'
  /** A connection that answers 500 goes on doing so: a fresh one, once. */
  | 'broken-connection'
  /** Apple is down or restarts: a fresh connection, as long as there is time. */
  | 'out-of-service';

/**
 * Every reason that Apple documents, and `BadEnvironmentKeyInToken`, a second spelling seen in answers.
 * https://developer.apple.com/documentation/usernotifications/handling-notification-responses-from-apns
 */
export const APNS_REASONS = {
  BadDeviceToken: 'token-misfit',
  DeviceTokenNotForTopic: 'token-misfit',
  MissingDeviceToken: 'our-fault',
  BadCollapseId: 'our-fault',
  BadExpirationDate: 'our-fault',
  BadMessageId: 'our-fault',
  BadPriority: 'our-fault',
  BadTopic: 'our-fault',
  MissingTopic: 'our-fault',
  DuplicateHeaders: 'our-fault',
  InvalidPushType: 'our-fault',
  PayloadEmpty: 'our-fault',
  TopicDisallowed: 'our-fault',
  BadPath: 'our-fault',
  MethodNotAllowed: 'our-fault',
  IdleTimeout: 'idle',
  ExpiredProviderToken: 'jwt-expired',
  InvalidProviderToken: 'app-fault',
  MissingProviderToken: 'app-fault',
  UnrelatedKeyIdInToken: 'app-fault',
  BadEnvironmentKeyIdInToken: 'app-fault',
  BadEnvironmentKeyInToken: 'app-fault',
  BadCertificate: 'app-fault',
  BadCertificateEnvironment: 'app-fault',
  Forbidden: 'app-fault',
  Unregistered: 'token-dead',
  ExpiredToken: 'token-dead',
  PayloadTooLarge: 'payload-too-large',
  TooManyProviderTokenUpdates: 'jwt-changed-too-often',
  TooManyRequests: 'device-throttled',
  InternalServerError: 'broken-connection',
  ServiceUnavailable: 'out-of-service',
  Shutdown: 'out-of-service',
} as const satisfies Record<string, ApnsMeaning>;

/** An answer read. */
export interface ApnsAnswer {
  readonly meaning: ApnsMeaning;
  /** Apple's word, `Accepted`, or `Other` for a word that is not in the table. */
  readonly reason: string;
  /** When the token died, milliseconds since the epoch; only with 410. */
  readonly since?: number;
  /** What stands behind `Other`, for the log. */
  readonly detail?: string;
}

/** Reads status and body of an answer; any body will do, also none. */
export function readApnsAnswer(status: number, body: string): ApnsAnswer {
  if (status === 200) return { meaning: 'accepted', reason: 'Accepted' };
  const { reason, timestamp } = readBody(body);
  const since = typeof timestamp === 'number' && timestamp > 0 ? { since: timestamp } : {};
  if (typeof reason === 'string' && isKnown(reason))
    return { meaning: APNS_REASONS[reason], reason, ...since };
  const detail = answerDetail(`HTTP ${status}`, reason);
  return { meaning: meaningOfStatus(status), reason: 'Other', ...since, detail };
}

/** What Apple means by the reason in a GOAWAY that processed no request: undefined where another connection may do better. */
export function readApnsGoaway(data: string): ApnsAnswer | undefined {
  const { reason } = readBody(data);
  if (typeof reason !== 'string') return undefined;
  if (!isKnown(reason))
    return { meaning: 'broken-connection', reason: 'Other', detail: answerDetail('GOAWAY', reason) };
  const meaning = APNS_REASONS[reason];
  switch (meaning) {
    case 'idle':
    case 'broken-connection':
    case 'out-of-service':
      return undefined;
    case 'app-fault':
    case 'jwt-expired':
    case 'jwt-changed-too-often':
    case 'our-fault':
      return { meaning, reason };
    case 'token-misfit':
    case 'token-dead':
    case 'payload-too-large':
    case 'device-throttled':
      // Said of a connection it is about no device: none may be dropped for it.
      return { meaning: 'broken-connection', reason };
    default:
      return meaning satisfies never;
  }
}

function isKnown(reason: string): reason is keyof typeof APNS_REASONS {
  return Object.hasOwn(APNS_REASONS, reason);
}

function readBody(body: string): { readonly reason?: unknown; readonly timestamp?: unknown } {
  try {
    const parsed: unknown = JSON.parse(body);
    return typeof parsed === 'object' && parsed !== null ? parsed : {};
  } catch {
    // A proxy's page, or nothing: the status has to do.
    return {};
  }
}

/** For words that Apple has not documented yet: the page gives each status a meaning of its own. */
function meaningOfStatus(status: number): ApnsMeaning {
  if (status === 403) return 'app-fault';
  if (status === 410) return 'token-dead';
  if (status === 413) return 'payload-too-large';
  if (status === 429) return 'device-throttled';
  if (status === 500) return 'broken-connection';
  if (status > 500) return 'out-of-service';
  return 'our-fault';
}
