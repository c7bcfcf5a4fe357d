import type { PushTarget } from './device.ts';

/** Devices kept at once: about 30 MB. Beyond it the one that was not asked for longest is forgotten. */
export const MAX_CACHED_DEVICES = 50_000;

interface Entry {
  readonly device: PushTarget;
  /** When the database said so, monotonic milliseconds. */
  readonly readAt: number;
}

/** A read of the database that is under way; a change of the account meanwhile makes what it brings worthless. */
export interface DeviceRead {
  readonly beganAt: number;
  outdated: boolean;
}

/** A change of an account's device that is under way. */
export interface DeviceChange {
  readonly account: number;
  /** Whether no other change of the account is, or was meanwhile: else nobody knows which one the database took last. */
  alone: boolean;
}

/**
 * How a change ended: the account has this device now, or none; or it is not known whether the database takes it, and
 * when. `spares` tells what the change would have left as it is.
 */
export type ChangeEnd =
  | { readonly kind: 'taken'; readonly device: PushTarget | undefined }
  | { readonly kind: 'nothing' }
  | { readonly kind: 'unknown'; readonly spares: (device: PushTarget) => boolean };

/**
 * What this process knows of devices, bounded in number and age. After a change of unknown end an account is in doubt: a
 * statement that was given up may still be waiting in a server that was stopped, and take effect after it goes on. What
 * is read of the account is not kept then, until `lateMs` after the first answer of the database have passed or a
 * later change was taken, which waits for the earlier one.
 */
export class DeviceCache {
  readonly #maxAgeMs: number;
  readonly #maxEntries: number;
  readonly #lateMs: number;
  readonly #now: () => number;
  readonly #entries = new Map<number, Entry>();
  readonly #reads = new Map<number, Set<DeviceRead>>();
  readonly #changes = new Map<number, Set<DeviceChange>>();
  /** Accounts in doubt, and when the database was first heard of since. */
  readonly #doubts = new Map<number, number | undefined>();

  constructor(options: {
    readonly maxAgeMs: number;
    readonly maxEntries: number;
    readonly lateMs: number;
    readonly now: () => number;
  }) {
    this.#maxAgeMs = options.maxAgeMs;
    this.#maxEntries = options.maxEntries;
    this.#lateMs = options.lateMs;
    this.#now = options.now;
  }

  /** The account's device, unless the database said so too long ago. */
  get(account: number): PushTarget | undefined {
    const entry = this.#entries.get(account);
    if (entry === undefined) return undefined;
    this.#entries.delete(account);
    if (this.#now() - entry.readAt > this.#maxAgeMs) return undefined;
    // At the end of the map, the first of which is always the one not asked for longest.
    this.#entries.set(account, entry);
    return entry.device;
  }

  /** Whether any device could be given out now. */
  get holdsAny(): boolean {
    for (const [account, { readAt }] of this.#entries) {
      if (this.#now() - readAt <= this.#maxAgeMs) return true;
      this.#entries.delete(account);
    }
    return false;
  }

  /** Something better is known of the same device; its age stays. */
  amend(account: number, change: (device: PushTarget) => PushTarget): void {
    this.#spoilReads(account);
    const entry = this.#entries.get(account);
    if (entry !== undefined) this.#entries.set(account, { ...entry, device: change(entry.device) });
  }

  /** Forgets the account's device. */
  forget(account: number): void {
    this.#entries.delete(account);
  }

  /** Forgets every device of which that does not hold. */
  keepOnly(holds: (device: PushTarget) => boolean): void {
    for (const [account, { device }] of this.#entries) if (!holds(device)) this.#entries.delete(account);
  }

  beginRead(account: number): DeviceRead {
    const read = { beganAt: this.#now(), outdated: this.#changes.has(account) };
    addTo(this.#reads, account, read);
    return read;
  }

  /** Keeps what was read, unless the account was changed meanwhile. */
  endRead(account: number, read: DeviceRead, found?: { readonly device: PushTarget | undefined }): void {
    removeFrom(this.#reads, account, read);
    if (found === undefined || read.outdated || this.#isInDoubt(account, read)) return;
    this.#entries.delete(account);
    if (found.device !== undefined) this.#put(found.device);
  }

  beginChange(account: number): DeviceChange {
    this.#spoilReads(account);
    const others = this.#changes.get(account);
    for (const other of others ?? []) other.alone = false;
    const change = { account, alone: others === undefined };
    addTo(this.#changes, account, change);
    return change;
  }

  endChange(change: DeviceChange, end: ChangeEnd): void {
    const { account, alone } = change;
    removeFrom(this.#changes, account, change);
    switch (end.kind) {
      case 'nothing':
        return;
      case 'taken':
        this.#entries.delete(account);
        if (!alone) return;
        this.#doubts.delete(account);
        if (end.device !== undefined) this.#put(end.device);
        return;
      case 'unknown': {
        const known = this.#entries.get(account);
        if (known !== undefined && !end.spares(known.device)) this.#entries.delete(account);
        this.#doubts.delete(account);
        this.#doubts.set(account, undefined);
        dropOldest(this.#doubts, this.#maxEntries);
        return;
      }
      default:
        end satisfies never;
    }
  }

  #put(device: PushTarget): void {
    this.#entries.set(device.account, { device, readAt: this.#now() });
    dropOldest(this.#entries, this.#maxEntries);
  }

  /** Reads under way may bring what is about to be changed. */
  #spoilReads(account: number): void {
    for (const read of this.#reads.get(account) ?? []) read.outdated = true;
  }

  #isInDoubt(account: number, { beganAt }: DeviceRead): boolean {
    if (!this.#doubts.has(account)) return false;
    const heardAt = this.#doubts.get(account);
    if (heardAt === undefined) this.#doubts.set(account, this.#now());
    else if (beganAt - heardAt >= this.#lateMs) this.#doubts.delete(account);
    return this.#doubts.has(account);
  }
}

function addTo<T>(sets: Map<number, Set<T>>, account: number, one: T): void {
  sets.set(account, (sets.get(account) ?? new Set()).add(one));
}

function removeFrom<T>(sets: Map<number, Set<T>>, account: number, one: T): void {
  const set = sets.get(account);
  set?.delete(one);
  if (set?.size === 0) sets.delete(account);
}

function dropOldest(map: Map<number, unknown>, limit: number): void {
  const oldest = map.keys().next();
  if (map.size > limit && oldest.done !== true) map.delete(oldest.value);
}
