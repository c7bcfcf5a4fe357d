import { monotonic } from '../lib/monotonic.ts';
import type { PingPace } from './channel-pace.ts';
import type { ChannelTimings } from './channel-timings.ts';

/** What the watchdog needs of a connection. */
export interface Watched {
  /** Bytes received so far; any change is a sign of life. */
  bytesRead(): number;
  /** Streams that are not closed yet. */
  openStreams(): number;
  /**
   * Asks the peer for a sign of life, by PING or by SETTINGS that change nothing, which it has to acknowledge as well
   * (RFC 9113, 6.5.3); `answered` is called when it came or can no longer come.
   */
  ask(how: 'ping' | 'settings', answered: () => void): void;
  /** Called once, when the peer is found dead. `silentMs`: how long its answer to a PING was waited for. */
  dead(silentMs: number): void;
}

/** How a peer is watched. */
export interface WatchdogOptions {
  readonly timings: ChannelTimings;
  readonly pace: PingPace;
  /** False: no PING while nothing is in flight. */
  readonly idlePings: boolean;
  /** A first guess at the round trip, milliseconds. */
  readonly roundTripMs: number;
}

const NEVER = -1;
/** How much longer than `slowAfterMs` the pauses between PINGs grow while the peer keeps answering only those. */
const MOST_PATIENCE = 4;
/** Longest round trip that is reckoned with, milliseconds. */
const LONGEST_ROUND_TRIP_MS = 2_000;

/**
 * Finds a dead peer. While streams are open it looks at the connection's byte counter five times per `slowAfterMs`.
 * States: idle (nothing open, one timer to the next idle PING), watching (silent since some moment), pinged (silence is
 * now measured from the PING). Any byte leads back to watching; silence of `pingTimeoutMs` in pinged means dead.
 * A path's round trip is measured by its PINGs: silence of one is nothing, and a PING may take two. Where the peer's pace
 * forbids a PING, it is asked by SETTINGS, and only when a PING would have been given up.
 */
export class Watchdog {
  readonly #watched: Watched;
  readonly #timings: ChannelTimings;
  readonly #pace: PingPace;
  readonly #idlePings: boolean;
  readonly #tickMs: number;
  #timer: NodeJS.Timeout | undefined;
  #watching = false;
  #stopped = false;
  #heardBytes: number;
  #tickDue = 0;
  #silentSince = NEVER;
  #pingedAt = NEVER;
  #pingOutstanding = false;
  #roundTripMs: number;
  #patienceMs: number;
  /** The last PING, or the opening; and what came before that. */
  #lastPing = monotonic();
  #lastGap = 0;

  constructor(watched: Watched, options: WatchdogOptions) {
    this.#watched = watched;
    this.#timings = options.timings;
    this.#pace = options.pace;
    this.#idlePings = options.idlePings;
    this.#tickMs = options.timings.slowAfterMs / 5;
    this.#roundTripMs = Math.min(options.roundTripMs, LONGEST_ROUND_TRIP_MS);
    this.#patienceMs = this.#slowAfter();
    this.#heardBytes = watched.bytesRead();
    this.#idle();
  }

  /** A request goes out: from now on silence counts. */
  requestSent(): void {
    this.#patienceMs = this.#slowAfter();
    if (this.#silentSince === NEVER) this.#silentSince = monotonic();
    if (!this.#watching) this.#watch();
  }

  /** The peer says that it is pinged too often. */
  complained(): void {
    this.#pace.tooMany(this.#lastGap);
  }

  /** No timer is left behind. */
  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  #watch(): void {
    if (this.#stopped) return;
    this.#watching = true;
    clearTimeout(this.#timer);
    this.#tickDue = monotonic() + this.#tickMs;
    this.#timer = setTimeout(() => this.#tick(), this.#tickMs);
  }

  #idle(waitMs = Math.max(this.#timings.idlePingMs, this.#pace.gapMs)): void {
    if (this.#stopped) return;
    this.#watching = false;
    this.#silentSince = NEVER;
    if (!this.#idlePings) return;
    this.#timer = setTimeout(() => {
      const early = this.#lastPing + this.#pace.gapMs - monotonic();
      if (early > 0) this.#idle(Math.ceil(early));
      else {
        this.#ask('ping');
        this.#watch();
      }
    }, waitMs);
    this.#timer.unref();
  }

  #slowAfter(): number {
    return Math.max(this.#timings.slowAfterMs, this.#roundTripMs * 1.25);
  }

  #pingTimeout(): number {
    return Math.max(this.#timings.pingTimeoutMs, this.#roundTripMs * 2);
  }

  #mayPing(now: number): boolean {
    return now - this.#lastPing >= this.#pace.gapMs;
  }

  #tick(): void {
    const now = monotonic();
    this.#forgive(now - this.#tickDue);
    this.#listen(now);
    if (this.#pingedAt !== NEVER) {
      if (now - this.#pingedAt >= this.#pingTimeout()) {
        // The answer may lie unread in the socket: read once before the verdict.
        setImmediate(() => this.#judge());
        return;
      }
    } else if (this.#watched.openStreams() === 0) {
      this.#idle();
      return;
    } else if (now - this.#silentSince >= this.#patienceMs) {
      if (this.#mayPing(now)) this.#ask('ping');
      else if (now - this.#silentSince >= this.#slowAfter() + this.#pingTimeout()) this.#ask('settings');
    }
    this.#watch();
  }

  /** Time in which this process did not run is no silence of the peer. */
  #forgive(lateMs: number): void {
    if (lateMs < this.#tickMs) return;
    if (this.#pingedAt !== NEVER) this.#pingedAt += lateMs;
    if (this.#silentSince !== NEVER) this.#silentSince += lateMs;
  }

  /** Takes note of what came since the last look. */
  #listen(now: number): void {
    const bytes = this.#watched.bytesRead();
    if (bytes === this.#heardBytes && this.#silentSince !== NEVER) return;
    if (bytes !== this.#heardBytes) this.#pingedAt = NEVER;
    this.#heardBytes = bytes;
    this.#silentSince = now;
  }

  #ask(how: 'ping' | 'settings'): void {
    const now = monotonic();
    this.#pingedAt = now;
    this.#patienceMs = Math.min(this.#patienceMs * 2, this.#slowAfter() * MOST_PATIENCE);
    if (this.#pingOutstanding) return;
    this.#pingOutstanding = true;
    if (how === 'ping') {
      this.#lastGap = now - this.#lastPing;
      this.#lastPing = now;
    }
    this.#watched.ask(how, () => {
      this.#pingOutstanding = false;
      const took = monotonic() - now;
      this.#roundTripMs = Math.min(LONGEST_ROUND_TRIP_MS, Math.max(took, (this.#roundTripMs + took) / 2));
    });
  }

  #judge(): void {
    if (this.#stopped) return;
    this.#listen(monotonic());
    if (this.#pingedAt === NEVER) {
      this.#watch();
      return;
    }
    this.stop();
    this.#watched.dead(this.#pingTimeout());
  }
}
