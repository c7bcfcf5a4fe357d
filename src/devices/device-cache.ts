import type { Device } from './device.ts';

/** Devices kept at once: about 30 MB. Beyond it the one that was not asked for longest is forgotten. */
export const MAX_CACHED_DEVICES = 50_000;

interface Entry {
  readonly device: Device;
  /** When the database said so, monotonic milliseconds. */
  readonly readAt: number;
}

/** A read of the database that is under way; a change of the account meanwhile makes what it brings worthless. */
export interface DeviceRead {
  outdated: boolean;
}

/** What this process knows of devices, bounded in number and age. */
export class DeviceCache {
  readonly #maxAgeMs: number;
  readonly #maxEntries: number;
  readonly #now: () => number;
  readonly #entries = new Map<number, Entry>();
  readonly #reads = new Map<number, Set<DeviceRead>>();

  constructor(options: {
    readonly maxAgeMs: number;
    readonly maxEntries: number;
    readonly now: () => number;
  }) {
    this.#maxAgeMs = options.maxAgeMs;
    this.#maxEntries = options.maxEntries;
    this.#now = options.now;
  }

  /** The account's device, unless the database said so too long ago. */
  get(account: number): Device | undefined {
    const entry = this.#entries.get(account);
    if (entry === undefined) return undefined;
    this.#entries.delete(account);
    if (this.#now() - entry.readAt > this.#maxAgeMs) return undefined;
    // At the end of the map, the first of which is always the one not asked for longest.
    this.#entries.set(account, entry);
    return entry.device;
  }

  put(device: Device): void {
    this.#entries.delete(device.account);
    this.#entries.set(device.account, { device, readAt: this.#now() });
    const oldest = this.#entries.keys().next();
    if (this.#entries.size > this.#maxEntries && oldest.done !== true) this.#entries.delete(oldest.value);
  }

  /** Something better is known of the same device; its age stays. */
  amend(account: number, change: (device: Device) => Device): void {
    const entry = this.#entries.get(account);
    if (entry !== undefined) this.#entries.set(account, { ...entry, device: change(entry.device) });
  }

  /** Forgets the account's device, and what reads under way will say of it. */
  forget(account: number): void {
    this.#entries.delete(account);
    this.spoilReads(account);
  }

  /** Forgets every device of which that does not hold. */
  keepOnly(holds: (device: Device) => boolean): void {
    for (const [account, { device }] of this.#entries) if (!holds(device)) this.#entries.delete(account);
  }

  /** Reads under way may bring what is about to be changed. */
  spoilReads(account: number): void {
    for (const read of this.#reads.get(account) ?? []) read.outdated = true;
  }

  beginRead(account: number): DeviceRead {
    const read = { outdated: false };
    const reads = this.#reads.get(account) ?? new Set();
    this.#reads.set(account, reads.add(read));
    return read;
  }

  /** Keeps what was read, unless the account was changed meanwhile. */
  endRead(account: number, read: DeviceRead, found?: { readonly device: Device | undefined }): void {
    const reads = this.#reads.get(account);
    reads?.delete(read);
    if (reads?.size === 0) this.#reads.delete(account);
    if (found === undefined || read.outdated) return;
    if (found.device === undefined) this.#entries.delete(account);
    else this.put(found.device);
  }
}
