import { monotonic } from '../lib/monotonic.ts';
import { within } from '../lib/within.ts';
import { StorageUnavailable } from '../storage/storage-unavailable.ts';
import type { Device } from './device.ts';
import { DeviceCache, MAX_CACHED_DEVICES } from './device-cache.ts';
import type { DeviceStore } from './device-store.ts';

/** What happened to calls while the database was away. */
export interface CacheEvents {
  /** A call's device came from memory; `first` for the first one of an outage. */
  servedFromCache(event: { readonly first: boolean; readonly error: unknown }): void;
  /** The database answers again; so many calls had their device from memory meanwhile. */
  cacheRetired(event: { readonly calls: number }): void;
}

/** A device store that can answer calls while its database is away. */
interface CachedDeviceStore extends DeviceStore {
  /** Devices of other apps than these are woken from memory no more. */
  appsKnown(appKeys: readonly number[]): void;
}

/** How long a call for a known account waits for a database that hangs: the PBX has to hear within a second. */
const PATIENCE_MS = 800;
/** While the database is away, it is asked for the sake of known accounts this often. */
const PROBE_PAUSE_MS = 500;

/**
 * Remembers the devices that were found or registered, and gives them to calls while the database cannot be asked. The
 * database is asked first, always, until it is found away: from then on known accounts are answered from memory at
 * once, one question every `PROBE_PAUSE_MS` tells when it is back, and unknown accounts still wait for it.
 *
 * A device that is changed or removed through this process is no longer remembered as it was, whether the database
 * took the change or not, with one exception: an unregistration or removal that failed was answered so, and has
 * changed nothing. What other processes change is noticed when the entry is `seconds` old at the latest. With 0 seconds
 * nothing is remembered.
 */
export const createCachedDeviceStore = (
  store: DeviceStore,
  options: {
    readonly seconds: number;
    readonly events: CacheEvents;
    readonly maxEntries?: number;
    readonly now?: () => number;
  },
): CachedDeviceStore => {
  const { events, seconds, maxEntries = MAX_CACHED_DEVICES, now = monotonic } = options;
  if (seconds === 0) return { ...store, appsKnown: () => {} };
  const cache = new DeviceCache({ maxAgeMs: seconds * 1_000, maxEntries, now });
  const outage = new Outage(events);
  return {
    ...store,
    ...readingPart(store, cache, outage, now),
    ...changingPart(store, cache),
    ...removingPart(store, cache),
    appsKnown: (appKeys) => {
      const known = new Set(appKeys);
      cache.keepOnly(({ appKey }) => known.has(appKey));
    },
  };
};

/** Whether the database is known to be away, and what that meant for calls. */
class Outage {
  readonly #events: CacheEvents;
  #error: unknown;
  #served = 0;
  isOn = false;

  constructor(events: CacheEvents) {
    this.#events = events;
  }

  began(error: unknown): void {
    this.isOn = true;
    this.#error = error;
  }

  served(): void {
    this.#served += 1;
    this.#events.servedFromCache({ first: this.#served === 1, error: this.#error });
  }

  ended(): void {
    if (this.#served > 0) this.#events.cacheRetired({ calls: this.#served });
    this.isOn = false;
    this.#served = 0;
    this.#error = undefined;
  }
}

const readingPart = (
  store: DeviceStore,
  cache: DeviceCache,
  outage: Outage,
  now: () => number,
): Pick<DeviceStore, 'find'> => {
  let lastProbe = Number.NEGATIVE_INFINITY;
  let probing = false;

  const read = async (account: number): Promise<Device | undefined> => {
    const reading = cache.beginRead(account);
    try {
      const device = await store.find(account);
      outage.ended();
      cache.endRead(account, reading, { device });
      return device;
    } catch (error) {
      if (error instanceof StorageUnavailable) outage.began(error);
      cache.endRead(account, reading);
      throw error;
    }
  };
  /** Nobody waits for it: its failure is the outage that is known already. */
  const probe = (account: number): void => {
    if (probing || now() - lastProbe < PROBE_PAUSE_MS) return;
    probing = true;
    lastProbe = now();
    read(account)
      .catch(() => {})
      .finally(() => {
        probing = false;
      });
  };
  const fromCache = (account: number): Device | undefined => {
    const device = cache.get(account);
    if (device !== undefined) outage.served();
    return device;
  };

  return {
    find: async (account) => {
      if (outage.isOn) {
        const known = fromCache(account);
        if (known !== undefined) {
          probe(account);
          return known;
        }
      }
      const reading = read(account);
      try {
        // Where memory has nothing to say, there is no reason to wait less.
        if (await within(reading, PATIENCE_MS)) return await reading;
        outage.began(new StorageUnavailable('slow', { cause: undefined }));
      } catch (error) {
        const known = error instanceof StorageUnavailable ? fromCache(account) : undefined;
        if (known === undefined) throw error;
        return known;
      }
      const known = fromCache(account);
      if (known === undefined) return reading;
      reading.catch(() => {});
      return known;
    },
  };
};

const changingPart = (
  store: DeviceStore,
  cache: DeviceCache,
): Pick<DeviceStore, 'register' | 'setSandbox'> => ({
  register: async (registration, at) => {
    const { account, platform, appId, token } = registration;
    cache.spoilReads(account);
    try {
      const result = await store.register(registration, at);
      if (result.kind === 'unknown-app') return result;
      cache.forget(account);
      cache.put(result.device);
      return result;
    } catch (error) {
      // Whether the database has taken it is not known. The same phone again may still be woken, another one not.
      const known = cache.get(account);
      const isSame = known?.token === token && known.platform === platform && known.appId === appId;
      if (!isSame) cache.forget(account);
      throw error;
    }
  },
  setSandbox: (found) => {
    const { account, token, sandbox } = found;
    cache.spoilReads(account);
    // It is what Apple said, whether the database can note it or not.
    cache.amend(account, (device) => (device.token === token ? { ...device, sandbox } : device));
    return store.setSandbox(found);
  },
});

const removingPart = (
  store: DeviceStore,
  cache: DeviceCache,
): Pick<DeviceStore, 'unregister' | 'remove' | 'dropToken'> => {
  const removing = async (account: number, remove: () => Promise<boolean>): Promise<boolean> => {
    cache.spoilReads(account);
    const removed = await remove();
    if (removed) cache.forget(account);
    else cache.spoilReads(account);
    return removed;
  };
  return {
    unregister: (device) => removing(device.account, () => store.unregister(device)),
    remove: (account) => removing(account, () => store.remove(account)),
    dropToken: (dead) => {
      const { account, token, appKey, registeredBefore = Number.POSITIVE_INFINITY } = dead;
      const known = cache.get(account);
      // The provider's word counts although the database cannot note it now.
      if (known?.token === token && known.appKey === appKey && known.registeredAt < registeredBefore)
        cache.forget(account);
      return removing(account, () => store.dropToken(dead));
    },
  };
};
