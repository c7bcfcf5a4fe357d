import { type BackoffBounds, backoff } from '../lib/backoff.ts';
import type { Clock } from '../lib/clock.ts';
import { pause } from '../lib/pause.ts';
import type { Outlook } from './breaker.ts';
import type { FinalVerdict, PushProvider, PushRequest, PushVariant, PushVerdict } from './push-provider.ts';

/** Tries of one push at most, whatever the verdicts ask for. */
const MAX_TRIES = 6;
/** ... if its device has failed before while others succeed: more would keep its caller waiting for nothing. */
const MAX_TRIES_ALONE = 2;
/** Less time than this is not worth another try, milliseconds: a push takes some 100 ms to Apple and Google. */
const USEFUL_MS = 200;
/** Between tries that a provider's outage asks for. */
const PAUSES: BackoffBounds = { baseMs: 100, capMs: 800 };

/** How the tries of a push ended. */
export interface Tried {
  readonly verdict: FinalVerdict;
  /** How often the provider was asked. */
  readonly tries: number;
  /** The last one went to Apple's other environment than the device's. */
  readonly otherEnvironment: boolean;
}

/** Parts that a push is tried with. */
export interface TryDeps {
  readonly clock: Clock;
  readonly random: () => number;
  /** Aborts the pauses between tries. */
  readonly signal: AbortSignal;
  /** Tells of a failure of the push service's, before the next try. */
  readonly failed: (verdict: FinalVerdict) => Outlook;
  /** The push service is out of order for everybody. */
  readonly isDown: () => boolean;
  readonly onRetry: (verdict: RetryVerdict, inMs: number) => void;
}

/** How a push is sent first. */
const FIRST: PushVariant = { minimal: false, otherEnvironment: false };

/**
 * Sends until a verdict is final, or until no further try fits: at most 6 (about two seconds), `once` only once for its
 * reason, and only if the pause and 200 ms more are left before the deadline and the push is still wanted. Ends earlier
 * when the breaker opens: its verdict is then `certain`. A push whose credential was refused is sent once more at once:
 * refusals come and go. Nearly every push is tried once: what more tries need is made for them only.
 */
export function tryPush(
  provider: PushProvider,
  request: PushRequest,
  partsOf: () => TryDeps,
): Promise<Tried> {
  return provider
    .send(request, FIRST)
    .then((verdict) =>
      verdict.kind === 'retry' || verdict.kind === 'app-fault'
        ? tryAgain(provider, request, partsOf(), verdict)
        : { verdict, tries: 1, otherEnvironment: false },
    );
}

async function tryAgain(
  provider: PushProvider,
  request: PushRequest,
  deps: TryDeps,
  first: PushVerdict,
): Promise<Tried> {
  const usedUp = new Set<string>();
  let variant = FIRST;
  let verdict = againIfRefused(first);
  for (let tries = 1; ; tries += 1) {
    const { otherEnvironment } = variant;
    const ended = (final: FinalVerdict): Tried => ({ verdict: final, tries, otherEnvironment });
    if (verdict.kind !== 'retry') return ended(verdict);
    const wait = pauseBefore(verdict, tries, deps.random);
    const fits = deps.clock.now() + wait + USEFUL_MS <= request.deadline;
    if (tries >= MAX_TRIES || !fits || usedUp.has(limitKey(verdict))) return ended(verdict.otherwise);
    const outlook = outlookAfter(verdict, variant, deps);
    if (verdict.limit === 'once') usedUp.add(limitKey(verdict));
    else if (outlook === 'down') return ended(certainly(verdict.otherwise));
    else if (outlook === 'fails-alone' && tries >= MAX_TRIES_ALONE) return ended(verdict.otherwise);
    deps.onRetry(verdict, wait);
    if (wait > 0) await pause(deps.clock, wait, deps.signal);
    if (deps.signal.aborted) return ended(verdict.otherwise);
    if (!request.wanted()) return ended({ kind: 'withdrawn', reason: 'withdrawn' });
    if (verdict.limit === 'budget' && !otherEnvironment && deps.isDown())
      return ended(certainly(verdict.otherwise));
    variant = { ...variant, ...verdict.variant };
    verdict = againIfRefused(await provider.send(request, variant));
  }
}

type RetryVerdict = Extract<PushVerdict, { kind: 'retry' }>;

/** A failure of Apple's other environment says nothing of the device's own. */
function outlookAfter({ otherwise }: RetryVerdict, variant: PushVariant, deps: TryDeps): Outlook {
  return otherwise.kind === 'unavailable' && !variant.otherEnvironment ? deps.failed(otherwise) : 'uncertain';
}

function certainly(verdict: FinalVerdict): FinalVerdict {
  return verdict.kind === 'unavailable' ? { ...verdict, certain: true } : verdict;
}

/** A credential that was refused before anything was sent is not tried again: the provider has done so. */
function againIfRefused(verdict: PushVerdict): PushVerdict {
  if (verdict.kind !== 'app-fault' || verdict.unsent === true) return verdict;
  return { kind: 'retry', reason: verdict.reason, limit: 'once', afterMs: 0, otherwise: verdict };
}

/** Refused again with another word is refused again. */
function limitKey({ reason, otherwise }: RetryVerdict): string {
  return otherwise.kind === 'app-fault' ? otherwise.kind : reason;
}

function pauseBefore(verdict: RetryVerdict, tries: number, random: () => number): number {
  const growing = verdict.limit === 'budget' ? backoff(tries - 1, PAUSES, random) : 0;
  return Math.max(verdict.afterMs, growing);
}
