import { monotonic } from '../lib/monotonic.ts';
import type { ChannelTimings } from './channel-timings.ts';

/** What the watchdog needs of a connection. */
export interface Watched {
  /** Bytes received so far; any change is a sign of life. */
  bytesRead(): number;
  /** Streams that are not closed yet. */
  openStreams(): number;
  /** Asks the peer for a sign of life; `answered` is called when it came or can no longer come. */
  ping(answered: () => void): void;
  /** Called once, when the peer is found dead. */
  dead(): void;
}

const NEVER = -1;
/** How much longer than `slowAfterMs` the pauses between PINGs grow while the peer keeps answering only those. */
const MOST_PATIENCE = 4;

/**
 * Finds a dead peer. While streams are open it looks at the connection's byte counter five times per `slowAfterMs`.
 * States: idle (nothing open, one timer to the next idle PING), watching (silent since some moment), pinged (silence is
 * now measured from the PING). Any byte leads back to watching; silence of `pingTimeoutMs` in pinged means dead.
 */
export class Watchdog {
  readonly #watched: Watched;
  readonly #timings: ChannelTimings;
  readonly #tickMs: number;
  #timer: NodeJS.Timeout | undefined;
  #watching = false;
  #stopped = false;
  #heardBytes: number;
  #tickDue = 0;
  #silentSince = NEVER;
  #pingedAt = NEVER;
  #pingOutstanding = false;
  #patienceMs: number;

  constructor(watched: Watched, timings: ChannelTimings) {
    this.#watched = watched;
    this.#timings = timings;
    this.#tickMs = timings.slowAfterMs / 5;
    this.#patienceMs = timings.slowAfterMs;
    this.#heardBytes = watched.bytesRead();
    this.#idle();
  }

  /** A request goes out: from now on silence counts. */
  requestSent(): void {
    this.#patienceMs = this.#timings.slowAfterMs;
    if (this.#silentSince === NEVER) this.#silentSince = monotonic();
    if (!this.#watching) this.#watch();
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

  #idle(): void {
    if (this.#stopped) return;
    this.#watching = false;
    this.#silentSince = NEVER;
    this.#timer = setTimeout(() => {
      this.#ping();
      this.#watch();
    }, this.#timings.idlePingMs);
    this.#timer.unref();
  }

  #tick(): void {
    const now = monotonic();
    this.#forgive(now - this.#tickDue);
    this.#listen(now);
    if (this.#pingedAt !== NEVER) {
      if (now - this.#pingedAt >= this.#timings.pingTimeoutMs) {
        // The answer may lie unread in the socket: read once before the verdict.
        setImmediate(() => this.#judge());
        return;
      }
    } else if (this.#watched.openStreams() === 0) {
      this.#idle();
      return;
    } else if (now - this.#silentSince >= this.#patienceMs) {
      this.#ping();
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

  #ping(): void {
    this.#pingedAt = monotonic();
    this.#patienceMs = Math.min(this.#patienceMs * 2, this.#timings.slowAfterMs * MOST_PATIENCE);
    if (this.#pingOutstanding) return;
    this.#pingOutstanding = true;
    this.#watched.ping(() => {
      this.#pingOutstanding = false;
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
    this.#watched.dead();
  }
}
