/** Commands of one link that may be in flight at once, over all its servers. */
export const MOST_IN_FLIGHT = 20_000;

/** Counts commands in flight. */
export class InFlight {
  readonly #most: number;
  readonly #full: () => void;
  #count = 0;

  /** `full` is told of each command that is turned away. */
  constructor(most: number, full: () => void) {
    this.#most = most;
    this.#full = full;
  }

  /** Whether one more may be sent; each that may has to `leave`. */
  enter(): boolean {
    if (this.#count >= this.#most) {
      this.#full();
      return false;
    }
    this.#count += 1;
    return true;
  }

  leave(): void {
    this.#count -= 1;
  }
}
