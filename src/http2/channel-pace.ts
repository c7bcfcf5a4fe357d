/** Longest time between two PINGs that a peer can bring about, milliseconds; gRPC servers ask for five minutes. */
const LONGEST_GAP_MS = 600_000;

/**
 * How often one origin lets itself be pinged, over all its connections. A peer that says GOAWAY `too_many_pings` gets
 * its PINGs half as often from then on, as gRPC asks of clients.
 * https://github.com/grpc/proposal/blob/master/A8-client-side-keepalive.md
 */
export class PingPace {
  #gapMs = 0;

  /** Milliseconds that have to lie between two PINGs on a connection, or between its opening and the first. */
  get gapMs(): number {
    return this.#gapMs;
  }

  /** The peer complained of a PING that came `intervalMs` after the one before it, or after the connection opened. */
  tooMany(intervalMs: number): void {
    this.#gapMs = Math.min(LONGEST_GAP_MS, Math.max(this.#gapMs, 2 * intervalMs));
  }
}
