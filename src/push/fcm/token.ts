import { type BackoffBounds, backoff } from '../../lib/backoff.ts';
import type { Clock } from '../clock.ts';
import { pause } from '../pause.ts';
import type { FetchToken, OauthAnswer } from './oauth.ts';

/** A token is renewed this long before its end, milliseconds, or at half its life when that is shorter. */
const RENEW_AHEAD_MS = 5 * 60_000;
/** A token is not used in its last seconds: it has to live until Google looks at it. */
const LAST_SECONDS_MS = 10_000;
/** One question to the token address, milliseconds. */
const FETCH_TIMEOUT_MS = 2_000;
/** Questions in a row while pushes wait. */
const MAX_FETCHES = 3;
const QUICK: BackoffBounds = { baseMs: 100, capMs: 1_000 };
/** Between renewals that failed while the old token is still good. */
const SLOW: BackoffBounds = { baseMs: 5_000, capMs: 60_000 };
/** However short a token's life is. */
const SHORTEST_RENEWAL_MS = 1_000;
/** Shortest time between two tokens that are given up because Google refused them. */
const REFUSAL_PAUSE_MS = 60_000;

/** Why there is no token. */
type NoToken = Exclude<OauthAnswer, { kind: 'token' }>;
/** A token, as the `authorization` header carries it, or why there is none. */
type TokenAnswer = { readonly kind: 'token'; readonly header: string } | NoToken;

/** One service account's OAuth token, shared by all pushes of all its apps. */
export interface FcmToken {
  /** At once while a token is good; else asked for, once for all who wait, until `deadline` (monotonic ms). */
  current(deadline: number): TokenAnswer | Promise<TokenAnswer>;
  /**
   * Google has refused `used`: true when another one will be used from now on, false when a token was already given
   * up within the last minute and this one must be kept.
   */
  refused(used: string): boolean;
  /** Asks for a token now, if there is none. */
  warm(): void;
  /** Ends the renewals; who waits for a token is told that there is none. */
  close(): void;
}

/** What is told of a token: for log and metrics. */
export interface FcmTokenEvents {
  fcmTokenFetched(event: { readonly tookMs: number }): void;
  fcmTokenFailed(event: {
    readonly kind: NoToken['kind'];
    readonly reason: NoToken['reason'];
    /** Why there was no answer. */
    readonly error?: Error;
  }): void;
}

interface Held {
  readonly header: string;
  readonly at: number;
  readonly wallAt: number;
  readonly lifetimeMs: number;
}

/**
 * Keeps one token: fetched with `warm` or the first push, renewed by a timer five minutes ahead of its end while the
 * old one goes on being used, so that no call waits for Google's token address in ordinary times.
 */
export function createFcmToken(parts: {
  readonly fetchToken: FetchToken;
  readonly clock: Clock;
  readonly events: FcmTokenEvents;
}): FcmToken {
  const { fetchToken, clock, events } = parts;
  let held: Held | undefined;
  let fetching: Promise<TokenAnswer> | undefined;
  let cancelRenewal = (): void => {};
  let failedRenewals = 0;
  let refusedAt = Number.NEGATIVE_INFINITY;
  const closing = new AbortController();

  // A machine that slept does not count the time on its monotonic clock.
  const age = (token: Held): number => Math.max(clock.now() - token.at, clock.wall() - token.wallAt);
  const isGood = (token: Held): boolean =>
    age(token) < Math.max(token.lifetimeMs - LAST_SECONDS_MS, token.lifetimeMs / 2);

  async function fetch(): Promise<TokenAnswer> {
    const at = clock.now();
    const wallAt = clock.wall();
    for (let tries = 1; ; tries += 1) {
      const answer = await fetchToken(FETCH_TIMEOUT_MS, closing.signal);
      if (answer.kind === 'token') {
        events.fcmTokenFetched({ tookMs: clock.now() - at });
        held = { header: `Bearer ${answer.token}`, at, wallAt, lifetimeMs: answer.lifetimeMs };
        return { kind: 'token', header: held.header };
      }
      if (closing.signal.aborted) return answer;
      events.fcmTokenFailed(answer);
      if (answer.kind === 'app-fault' || tries >= MAX_FETCHES) return answer;
      await pause(clock, backoff(tries - 1, QUICK), closing.signal);
    }
  }

  function refresh(): Promise<TokenAnswer> {
    fetching ??= fetch().then((answer) => {
      fetching = undefined;
      failedRenewals = answer.kind === 'token' ? 0 : failedRenewals + 1;
      scheduleRenewal();
      return answer;
    });
    return fetching;
  }

  function untilRenewal(): number {
    if (held === undefined || failedRenewals > 0) return backoff(Math.max(0, failedRenewals - 1), SLOW);
    const { lifetimeMs } = held;
    return Math.max(lifetimeMs - RENEW_AHEAD_MS - age(held), lifetimeMs / 2 - age(held), SHORTEST_RENEWAL_MS);
  }

  function scheduleRenewal(): void {
    cancelRenewal();
    if (closing.signal.aborted) return;
    cancelRenewal = clock.after(untilRenewal(), () => void refresh());
  }

  return {
    current: (deadline) => {
      if (held !== undefined && isGood(held)) return { kind: 'token', header: held.header };
      return closing.signal.aborted
        ? { kind: 'unavailable', reason: 'oauth-unreachable' }
        : until(deadline, refresh(), clock);
    },
    refused: (used) => {
      if (held === undefined || held.header !== used) return true;
      const now = clock.now();
      if (now - refusedAt < REFUSAL_PAUSE_MS) return false;
      refusedAt = now;
      held = undefined;
      return true;
    },
    warm: () => {
      if (!closing.signal.aborted && (held === undefined || !isGood(held))) void refresh();
    },
    close: () => {
      closing.abort();
      cancelRenewal();
    },
  };
}

function until(deadline: number, answer: Promise<TokenAnswer>, clock: Clock): Promise<TokenAnswer> {
  return new Promise((resolve) => {
    const cancel = clock.after(Math.max(0, deadline - clock.now()), () =>
      resolve({ kind: 'unavailable', reason: 'oauth-timeout' }),
    );
    answer.then((value) => {
      cancel();
      resolve(value);
    });
  });
}
