import { monotonic } from '../lib/monotonic.ts';
import { StorageUnavailable } from './storage-unavailable.ts';

/** How long a change that failed in a way that trying does not show is remembered when no other change was tried since. */
const REMEMBERED_MS = 60_000;

/**
 * What became of changes. A missing right or a lock can be found by trying; a full disk, and a trigger that rejects rows,
 * often only by the change that met it, so the latest one is remembered.
 */
export class WriteGuard {
  readonly #loss: () => StorageUnavailable | undefined;
  #failure: { readonly error: Error; readonly at: number } | undefined;
  /** When a change last succeeded, monotonic milliseconds. */
  confirmedAt = Number.NEGATIVE_INFINITY;

  /** `loss`: why what is committed now does not last; undefined where it does. */
  constructor(loss: () => StorageUnavailable | undefined) {
    this.#loss = loss;
  }

  /** After a commit, before anybody hears of it. Throws `StorageUnavailable` where what was committed does not last. */
  confirm(): void {
    const loss = this.#loss();
    if (loss !== undefined) throw loss;
    this.#failure = undefined;
    this.confirmedAt = monotonic();
  }

  failed(error: unknown): void {
    if (!(error instanceof Error)) return;
    const isSeenByTrying =
      error instanceof StorageUnavailable && error.fault !== 'full' && error.fault !== 'io';
    if (!isSeenByTrying) this.#failure = { error, at: monotonic() };
  }

  /** The failure of the latest change: for want of space, by a fault of the disk, or refused in the database's own words. */
  get failure(): Error | undefined {
    const failure = this.#failure;
    return failure !== undefined && monotonic() - failure.at < REMEMBERED_MS ? failure.error : undefined;
  }
}
