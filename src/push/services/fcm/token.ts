import { type BackoffBounds, backoff } from '../../../lib/backoff.ts';
import type { Clock } from '../../../lib/clock.ts';
import { pause } from '../../../lib/pause.ts';
import { createDeviceRow } from '../../device-row.ts';
import type { DeviceIdentity } from '../../suspects.ts';
import type { FetchToken, OauthAnswer } from './oauth.ts';

/** A token is renewed this long before its end, milliseconds, or at half its life when that is shorter. */
const RENEW_AHEAD_MS = 5 * 60_000;
/** A token is not used in its last seconds: it has to live until Google looks at it. */
const LAST_SECONDS_MS = 10_000;
/** One question to the token address, milliseconds. */
const FETCH_TIMEOUT_MS = 2_000;
/** Questions in a row while pushes wait; a refusal of the account that was known before is not asked about again. */
const MAX_FETCHES = { unavailable: 3, 'app-fault': 2 } as const satisfies Record<NoToken['kind'], number>;
const QUICK: BackoffBounds = { baseMs: 100, capMs: 1_000 };
/** From one failed run of questions to the next while calls come and no token is good. */
const PACE_MS = { unavailable: 1_000, 'app-fault': 5_000 } as const satisfies Record<NoToken['kind'], number>;
/** Calls come while the last one is no longer ago than this, milliseconds. */
const DEMAND_MS = 60_000;
/** Between renewals that failed while the old token is still good, or no call comes. */
const SLOW: BackoffBounds = { baseMs: 5_000, capMs: 60_000 };
/** However short a token's life is. */
const SHORTEST_RENEWAL_MS = 1_000;
/** Shortest time between two tokens fetched because Google refused the last: for one device, for several in a row. */
const REFUSAL_PAUSE_MS = 60_000;
const REFUSALS_PAUSE_MS = 10_000;
/** Longest time that a refused push waits for another token, milliseconds. */
const REFUSED_WAIT_MS = 500;

/** Why there is no token. */
type NoToken = Exclude<OauthAnswer, { kind: 'token' }>;
/** A token, as the `authorization` header carries it, or why there is none. */
type TokenAnswer = { readonly kind: 'token'; readonly header: string } | NoToken;

/** One service account's OAuth token, shared by all pushes of all its apps. */
export interface FcmToken {
  /** At once while a token is good; else asked for, once for all who wait, until `deadline` (monotonic ms). */
  current(deadline: number): TokenAnswer | Promise<TokenAnswer>;
  /** Google has taken a push. */
  accepted(): void;
  /**
   * Google has refused `used` for a push to `device`. Fetches another one, at most once a minute for one device and every
   * ten seconds for several in a row; the others go on using the old one meanwhile. Ends when the next try can be made:
   * after 500 ms, or at `deadline`, at the latest.
   */
  refused(used: string, device: DeviceIdentity, deadline: number): Promise<void>;
  /** Asks for a token now, if there is none and the last question is a second ago (five if the account was refused). */
  warm(): void;
  /** Calls `listener` with each token that is fetched, until the result is called. */
  onFetched(listener: () => void): () => void;
  /** Ends the renewals; who waits for a token is told that there is none. */
  close(): void;
}

/** What is told of a token: for log and metrics. */
export interface FcmTokenEvents {
  fcmTokenFetched(event: { readonly tookMs: number }): void;
  fcmTokenFailed(event: {
    readonly kind: NoToken['kind'];
    readonly reason: NoToken['reason'];
    /** What the token endpoint said, or why there was no answer. */
    readonly detail?: string;
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
 * old one goes on being used, so that no call waits for Google's token address in ordinary times. While calls come and
 * no token is good it is asked for every second, so that calls ring again within a second or two after an outage.
 */
export function createFcmToken(deps: {
  readonly fetchToken: FetchToken;
  readonly clock: Clock;
  readonly events: FcmTokenEvents;
}): FcmToken {
  const { fetchToken, clock, events } = deps;
  const listeners = new Set<() => void>();
  const refusals = createDeviceRow(2);
  let held: Held | undefined;
  let fetching: Promise<TokenAnswer> | undefined;
  let fetchingSince = Number.NEGATIVE_INFINITY;
  let waiting = 0;
  let demandedAt = Number.NEGATIVE_INFINITY;
  let cancelRenewal = (): void => {};
  let failedRenewals = 0;
  let paceMs: number = PACE_MS.unavailable;
  let refusedAt = Number.NEGATIVE_INFINITY;
  const closing = new AbortController();

  // A machine that slept does not count the time on its monotonic clock.
  const age = (token: Held): number => Math.max(clock.now() - token.at, clock.wall() - token.wallAt);
  const isGood = (token: Held): boolean =>
    age(token) < Math.max(token.lifetimeMs - LAST_SECONDS_MS, token.lifetimeMs / 2);

  function keep(token: string, lifetimeMs: number, at: number, wallAt: number): TokenAnswer {
    events.fcmTokenFetched({ tookMs: clock.now() - at });
    held = { header: `Bearer ${token}`, at, wallAt, lifetimeMs };
    refusals.clear();
    for (const listener of listeners) listener();
    return { kind: 'token', header: held.header };
  }

  async function fetch(): Promise<TokenAnswer> {
    const at = clock.now();
    const wallAt = clock.wall();
    for (let tries = 1; ; tries += 1) {
      const answer = await fetchToken(FETCH_TIMEOUT_MS, closing.signal);
      if (answer.kind === 'token') return keep(answer.token, answer.lifetimeMs, at, wallAt);
      if (closing.signal.aborted) return answer;
      events.fcmTokenFailed(answer);
      const known = answer.kind === 'app-fault' && failedRenewals > 0;
      if (known || waiting === 0 || tries >= MAX_FETCHES[answer.kind]) return answer;
      await pause(clock, backoff(tries - 1, QUICK), closing.signal);
    }
  }

  function refresh(): Promise<TokenAnswer> {
    if (fetching !== undefined) return fetching;
    fetchingSince = clock.now();
    fetching = fetch().then((answer) => {
      fetching = undefined;
      failedRenewals = answer.kind === 'token' ? 0 : failedRenewals + 1;
      if (answer.kind !== 'token') paceMs = PACE_MS[answer.kind];
      scheduleRenewal(answer);
      return answer;
    });
    return fetching;
  }

  function untilRenewal(last: TokenAnswer): number {
    if (last.kind !== 'token') {
      const isDoubted = held === undefined || !isGood(held) || refusals.size() > 1;
      if (isDoubted && clock.now() - demandedAt < DEMAND_MS)
        return Math.max(0, fetchingSince + paceMs - clock.now());
      return backoff(failedRenewals - 1, SLOW);
    }
    if (held === undefined) return SHORTEST_RENEWAL_MS;
    const { lifetimeMs } = held;
    return Math.max(lifetimeMs - RENEW_AHEAD_MS - age(held), lifetimeMs / 2 - age(held), SHORTEST_RENEWAL_MS);
  }

  function scheduleRenewal(last: TokenAnswer): void {
    cancelRenewal();
    if (closing.signal.aborted) return;
    cancelRenewal = clock.after(untilRenewal(last), () => void refresh());
  }

  /** The answer of the questions under way, or that there is none by then. */
  async function until(deadline: number): Promise<TokenAnswer> {
    waiting += 1;
    try {
      return await byDeadline(deadline, refresh(), clock);
    } finally {
      waiting -= 1;
    }
  }

  return {
    current: (deadline) => {
      if (held !== undefined && isGood(held)) return { kind: 'token', header: held.header };
      demandedAt = clock.now();
      return closing.signal.aborted ? { kind: 'unavailable', reason: 'oauth-unreachable' } : until(deadline);
    },
    accepted: () => refusals.clear(),
    refused: async (used, device, deadline) => {
      if (held?.header !== used || closing.signal.aborted) return;
      refusals.add(device);
      const now = clock.now();
      demandedAt = now;
      if (now - refusedAt >= (refusals.size() > 1 ? REFUSALS_PAUSE_MS : REFUSAL_PAUSE_MS)) refusedAt = now;
      else if (fetching === undefined) return;
      const since = fetching === undefined ? now : fetchingSince;
      await until(Math.min(deadline, since + REFUSED_WAIT_MS));
    },
    warm: () => {
      const now = clock.now();
      if (closing.signal.aborted) return;
      if (held !== undefined && isGood(held) && failedRenewals === 0) return;
      demandedAt = now;
      if (now - fetchingSince >= paceMs) void refresh();
    },
    onFetched: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    close: () => {
      closing.abort();
      cancelRenewal();
    },
  };
}

function byDeadline(deadline: number, answer: Promise<TokenAnswer>, clock: Clock): Promise<TokenAnswer> {
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
