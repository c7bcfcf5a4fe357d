import type { FinalVerdict } from './push-provider.ts';

/** Where a breaker stands; `half-open` lets one push through to see whether the push service is back. */
export type BreakerState = 'closed' | 'open' | 'half-open';

/** When a breaker opens and for how long, milliseconds and counts. */
export interface BreakerSettings {
  /** Failures in a row that open it. */
  readonly failures: number;
  /** A row is only a row within this time. */
  readonly windowMs: number;
  /** First cool-down; doubles with each failed probe. */
  readonly coolDownMs: number;
  readonly longestCoolDownMs: number;
  /** Longest cool-down that the push service itself can ask for. */
  readonly longestRetryAfterMs: number;
  /** A push that had less time than this and ran out of it says nothing about the push service. */
  readonly fairTimeMs: number;
}

/** The values in use. */
export const BREAKER_SETTINGS: BreakerSettings = {
  failures: 5,
  windowMs: 10_000,
  coolDownMs: 1_000,
  longestCoolDownMs: 30_000,
  longestRetryAfterMs: 60_000,
  fairTimeMs: 1_000,
};

/** Leave for one push. `end` must be called once, whatever happens. */
interface BreakerPass {
  /** `hadMs`: how long the push could wait for its answer. No verdict: it never came to one. */
  end(verdict: FinalVerdict | undefined, hadMs: number): void;
}

/** Answers for a push service that is out of order, so that a caller is not kept waiting for it. */
export interface Breaker {
  /** Undefined: do not push now. */
  enter(): BreakerPass | undefined;
  state(): BreakerState;
}

/** Parts of a breaker. */
export interface BreakerOptions {
  readonly settings: BreakerSettings;
  /** Monotonic milliseconds. */
  readonly now: () => number;
  readonly onChange: (state: BreakerState, reason: string) => void;
}

/**
 * Closed: every push goes through; a row of failures opens it, a refused credential does at once.
 * Open: no push goes through until the cool-down is over; then half-open.
 * Half-open: one push is the probe. Its success closes, its failure opens for twice as long, and a probe that tells
 * nothing (its call ended, it had too little time) makes room for the next. A success of a push that was under way
 * closes from any state; its failure is old news when the breaker is not closed.
 */
export function createBreaker({ settings, now, onChange }: BreakerOptions): Breaker {
  let state: BreakerState = 'closed';
  let failures = 0;
  let rowSince = 0;
  let openings = 0;
  let openUntil = 0;
  let probing = false;

  function change(to: BreakerState, reason: string): void {
    if (state === to) return;
    state = to;
    onChange(to, reason);
  }

  function open(reason: string, askedForMs: number): void {
    const doubled = Math.min(settings.longestCoolDownMs, settings.coolDownMs * 2 ** Math.min(openings, 30));
    const coolDown = Math.max(doubled, Math.min(askedForMs, settings.longestRetryAfterMs));
    openings += 1;
    openUntil = now() + coolDown;
    change('open', reason);
  }

  function succeed(reason: string): void {
    failures = 0;
    openings = 0;
    change('closed', reason);
  }

  function fail(news: Extract<ProviderNews, { kind: 'failure' }>, probe: boolean): void {
    if (probe) {
      // A success of an older push may have closed the breaker while the probe was under way.
      if (state === 'half-open') open(news.reason, news.retryAfterMs);
      return;
    }
    if (state !== 'closed') return;
    if (failures === 0 || now() - rowSince > settings.windowMs) {
      failures = 0;
      rowSince = now();
    }
    failures += 1;
    if (!news.certain && failures < settings.failures) return;
    failures = 0;
    open(news.reason, news.retryAfterMs);
  }

  function pass(probe: boolean): BreakerPass {
    return {
      end: (verdict, hadMs) => {
        if (probe) probing = false;
        const news = newsOf(verdict, hadMs >= settings.fairTimeMs);
        if (news.kind === 'success') succeed(news.reason);
        else if (news.kind === 'failure') fail(news, probe);
      },
    };
  }

  // What a pass does is the same for all of its kind.
  const ordinary = pass(false);
  const probe = pass(true);

  return {
    enter: () => {
      if (state === 'closed') return ordinary;
      if (state === 'open') {
        if (now() < openUntil) return undefined;
        change('half-open', 'cool-down-over');
      }
      if (probing) return undefined;
      probing = true;
      return probe;
    },
    state: () => state,
  };
}

/** What a push's end tells of the push service as a whole. */
type ProviderNews =
  | { readonly kind: 'success'; readonly reason: string }
  /** `certain`: one is enough. */
  | {
      readonly kind: 'failure';
      readonly reason: string;
      readonly certain: boolean;
      readonly retryAfterMs: number;
    }
  | { readonly kind: 'nothing' };

/** Ends that a short deadline alone can bring about. */
const OUT_OF_TIME: ReadonlySet<string> = new Set(['timeout', 'unreachable', 'oauth-timeout']);

function newsOf(verdict: FinalVerdict | undefined, hadTime: boolean): ProviderNews {
  if (verdict === undefined) return { kind: 'nothing' };
  const { reason } = verdict;
  switch (verdict.kind) {
    // A refusal of this phone or this message is an answer: the push service works.
    case 'accepted':
    case 'token-dead':
    case 'token-suspect':
    case 'our-fault':
      return { kind: 'success', reason };
    case 'app-fault':
      return { kind: 'failure', reason, certain: true, retryAfterMs: 0 };
    case 'throttled':
      if (verdict.scope === 'device') return { kind: 'success', reason };
      return { kind: 'failure', reason, certain: false, retryAfterMs: verdict.retryAfterMs ?? 0 };
    case 'unavailable':
      if (OUT_OF_TIME.has(reason) && !hadTime) return { kind: 'nothing' };
      return { kind: 'failure', reason, certain: false, retryAfterMs: verdict.retryAfterMs ?? 0 };
    case 'overloaded':
    case 'withdrawn':
      return { kind: 'nothing' };
    default:
      return verdict satisfies never;
  }
}
