import { type PushFailure, pushNews } from './push-news.ts';
import type { FinalVerdict } from './push-provider.ts';
import { createSuspects, type DeviceIdentity } from './suspects.ts';

/** Where a breaker stands; `half-open` lets one push through to see whether the push service is back. */
export type BreakerState = 'closed' | 'open' | 'half-open';

/** When a breaker opens and for how long, milliseconds and counts. */
export interface BreakerSettings {
  /** Different devices that fail in a row, without a success in between, open it. */
  readonly failures: number;
  /** ... and so many of them if the credential was refused. */
  readonly refusals: number;
  /** A row is only a row within this time. */
  readonly windowMs: number;
  /** Failures that further tries can mend open it once a row of them has lasted so long: a shorter blip costs no call. */
  readonly blipMs: number;
  /** Refusals of pushes that were under way together open it once their row has lasted so long, if the credential was good. */
  readonly burstMs: number;
  /** First cool-down; doubles with each failed probe. Also the shortest time between two early probes. */
  readonly coolDownMs: number;
  readonly longestCoolDownMs: number;
  /** Longest cool-down that the push service itself can ask for. */
  readonly longestRetryAfterMs: number;
  /** A push that had less time than this and ran out of it says nothing about the push service. */
  readonly fairTimeMs: number;
  /** A credential that was accepted within this time is good: a refusal concerns the push. */
  readonly momentsMs: number;
  /** A device that failed as the probe is not the probe again within this time. */
  readonly probeAgainMs: number;
}

/** The values in use. */
export const BREAKER_SETTINGS: BreakerSettings = {
  failures: 5,
  refusals: 3,
  windowMs: 10_000,
  blipMs: 1_000,
  burstMs: 200,
  coolDownMs: 1_000,
  longestCoolDownMs: 2_000,
  longestRetryAfterMs: 10_000,
  fairTimeMs: 1_000,
  momentsMs: 60_000,
  probeAgainMs: 10_000,
};

/** What a failed try says of further ones. */
export type Outlook =
  /** The push service is out of order for everybody. */
  | 'down'
  /** Only this device fails, and has done so before. */
  | 'fails-alone'
  | 'uncertain';

/** Leave for one push. `end` must be called once, whatever happens. */
export interface BreakerPass {
  /** A try failed after which another one may follow: counts at once, so that an outage is known while pushes still wait. */
  failed(device: DeviceIdentity, verdict: FinalVerdict): Outlook;
  /**
   * `hadMs`: how long the push could wait for its answer. No verdict: it never came to one. True if a refusal is held
   * to concern this device alone.
   */
  end(device: DeviceIdentity, verdict: FinalVerdict | undefined, hadMs: number): boolean;
}

/** Answers for a push service that is out of order, so that a caller is not kept waiting for it. */
export interface Breaker {
  /** Undefined: do not push now. */
  enter(device: DeviceIdentity): BreakerPass | undefined;
  /** The way to the push service works again: the next push is the probe, at most once in `coolDownMs`. */
  revive(reason: string): void;
  state(): BreakerState;
}

/** Parts of a breaker. */
export interface BreakerOptions {
  readonly settings: BreakerSettings;
  /** Monotonic milliseconds. */
  readonly now: () => number;
  /** `detail`: what the provider said, if `reason` does not. */
  readonly onChange: (state: BreakerState, reason: string, detail?: string) => void;
}

/**
 * One device can only hurt itself (docs/decisions/016-breaker.md):
 *
 * | state | a push | its failure |
 * | --- | --- | --- |
 * | closed | goes through | counts once a device; a row of different devices opens, after `blipMs` if they are tried again. A device that failed before others succeeded counts no more. A failure before anything was sent counts each time; without a credential one is enough |
 * | open | does not, until the cool-down is over or `revive` | |
 * | half-open | one is the probe; one that tells nothing makes room for the next | of the probe: opens for twice as long |
 *
 * Past the cool-down, a device that always fails, or that has just failed as the probe, is let through beside the probe:
 * its failure changes nothing. A success closes from any state. A failure of a push from before the opening is old news.
 */
export function createBreaker({ settings, now, onChange }: BreakerOptions): Breaker {
  const suspects = createSuspects(now);
  let state: BreakerState = 'closed';
  let row = 0;
  let failures = 0;
  let refusals = 0;
  let rowSince = Number.NEGATIVE_INFINITY;
  let openings = 0;
  let openUntil = 0;
  let probedAt = Number.NEGATIVE_INFINITY;
  let workedAt = Number.NEGATIVE_INFINITY;
  let probing = false;

  function change(to: BreakerState, reason: string, detail?: string): void {
    if (state === to) return;
    state = to;
    onChange(to, reason, detail);
  }

  function open(news: PushFailure): void {
    const doubled = Math.min(settings.longestCoolDownMs, settings.coolDownMs * 2 ** Math.min(openings, 30));
    const coolDown = Math.max(doubled, Math.min(news.retryAfterMs, settings.longestRetryAfterMs));
    openings += 1;
    openUntil = now() + coolDown;
    change('open', news.reason, news.detail);
  }

  function endRow(): void {
    failures = 0;
    refusals = 0;
    rowSince = Number.NEGATIVE_INFINITY;
  }

  function succeed(device: DeviceIdentity, reason: string): void {
    workedAt = now();
    suspects.clear(device);
    if (failures > 0) endRow();
    openings = 0;
    change('closed', reason);
  }

  /** False: the device's failure is known, it is no further witness. */
  function isWitness(device: DeviceIdentity): boolean {
    const known = suspects.add(device);
    if (known.row === row || suspects.failsAlone(known)) return false;
    known.row = row;
    return true;
  }

  /** Opens only if the row has lasted for `rowMs`. */
  function failClosed(device: DeviceIdentity, news: PushFailure, rowMs: number): void {
    if (now() - rowSince > settings.windowMs) {
      endRow();
      row += 1;
      rowSince = now();
    }
    if (news.unsent || isWitness(device)) {
      // A device that always fails begins no row.
      if (failures === 0) rowSince = now();
      failures += 1;
      if (news.refusal) refusals += 1;
    }
    const isRow = refusals >= settings.refusals || failures >= settings.failures;
    const certain = news.refusal && news.unsent;
    if (!certain && !(isRow && now() - rowSince >= rowMs)) return;
    endRow();
    open(news);
  }

  function failProbe(device: DeviceIdentity, news: PushFailure): void {
    if (!news.unsent) suspects.add(device).probedAt = now();
    // A success of an older push may have closed the breaker while the probe was under way.
    if (state !== 'closed') open(news);
  }

  const workedLately = (): boolean => now() - workedAt <= settings.momentsMs;
  const isOpen = (): boolean => state !== 'closed';

  function isAlone(device: DeviceIdentity, news: PushFailure): boolean {
    if (news.unsent) return false;
    const known = suspects.of(device);
    if (known !== undefined && suspects.failsAlone(known)) return true;
    return state === 'closed' && workedLately();
  }

  class Pass implements BreakerPass {
    readonly #isProbe: boolean;
    readonly #enteredAt = now();
    #rowMs = 0;

    constructor(isProbe: boolean) {
      this.#isProbe = isProbe;
    }

    failed(device: DeviceIdentity, verdict: FinalVerdict): Outlook {
      const news = pushNews(verdict, true);
      if (typeof news === 'string') return 'uncertain';
      if (this.#isProbe || state !== 'closed') return 'down';
      this.#rowMs = settings.blipMs;
      failClosed(device, news, this.#rowMs);
      if (isOpen()) return 'down';
      const known = suspects.of(device);
      const failedBefore = known !== undefined && known.since < this.#enteredAt;
      return failedBefore && suspects.failsAlone(known) ? 'fails-alone' : 'uncertain';
    }

    end(device: DeviceIdentity, verdict: FinalVerdict | undefined, hadMs: number): boolean {
      if (this.#isProbe) probing = false;
      const news = pushNews(verdict, hadMs >= settings.fairTimeMs);
      if (news === 'nothing') return false;
      if (news === 'success') {
        succeed(device, verdict?.reason ?? '');
        return false;
      }
      if (this.#isProbe) failProbe(device, news);
      else if (state === 'closed')
        failClosed(device, news, this.#isBurst(news) ? settings.burstMs : this.#rowMs);
      return news.refusal && isAlone(device, news);
    }

    /** Refusals of pushes that were under way together are one moment's, not a row. */
    #isBurst(news: PushFailure): boolean {
      return news.refusal && workedLately() && this.#enteredAt < rowSince;
    }
  }

  function isNoProbe(device: DeviceIdentity): boolean {
    const known = suspects.of(device);
    if (known === undefined) return false;
    return suspects.failsAlone(known) || now() - known.probedAt < settings.probeAgainMs;
  }

  return {
    enter: (device) => {
      if (state === 'closed') return new Pass(false);
      if (state === 'open' && now() < openUntil) return undefined;
      if (isNoProbe(device)) return new Pass(false);
      if (probing) return undefined;
      probing = true;
      probedAt = now();
      change('half-open', 'cool-down-over');
      return new Pass(true);
    },
    revive: (reason) => {
      if (state !== 'open') return;
      openUntil = Math.min(openUntil, Math.max(now(), probedAt + settings.coolDownMs));
      if (now() >= openUntil) change('half-open', reason);
    },
    state: () => state,
  };
}
