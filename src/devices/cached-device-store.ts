import { monotonic } from '../lib/monotonic.ts';
import { within } from '../lib/within.ts';
import { StorageUnavailable } from '../storage/storage-unavailable.ts';
import type { PushTarget } from './device.ts';
import { type ChangeEnd, DeviceCache, MAX_CACHED_DEVICES } from './device-cache.ts';
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
  /** Whether any call could get its device from memory now. */
  holdsDevices(): boolean;
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
 * took the change or not. What other processes change is noticed when the entry is `seconds` old at the latest. With 0
 * seconds nothing is remembered.
 */
export function createCachedDeviceStore(
  store: DeviceStore,
  options: {
    readonly seconds: number;
    readonly events: CacheEvents;
    /** Milliseconds after which a server that answers does nothing more of what was given up before. */
    readonly lateMs: number;
    readonly maxEntries?: number;
    readonly now?: () => number;
  },
): CachedDeviceStore {
  const { events, seconds, maxEntries = MAX_CACHED_DEVICES, lateMs, now = monotonic } = options;
  if (seconds === 0) return { ...store, appsKnown: () => {}, holdsDevices: () => false };
  const cache = new DeviceCache({ maxAgeMs: seconds * 1_000, maxEntries, lateMs, now });
  const outage = new Outage(events);
  return {
    ...store,
    ...readingPart(store, cache, outage, now),
    ...changingPart(store, cache),
    ...removingPart(store, cache),
    holdsDevices: () => cache.holdsAny,
    appsKnown: (appKeys) => {
      const known = new Set(appKeys);
      cache.keepOnly(({ appKey }) => known.has(appKey));
    },
  };
}

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

function readingPart(
  store: DeviceStore,
  cache: DeviceCache,
  outage: Outage,
  now: () => number,
): Pick<DeviceStore, 'findTarget'> {
  let lastProbe = Number.NEGATIVE_INFINITY;
  let probing = false;

  const read = async (account: number): Promise<PushTarget | undefined> => {
    const reading = cache.beginRead(account);
    try {
      const device = await store.findTarget(account);
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
  const fromCache = (account: number): PushTarget | undefined => {
    const device = cache.get(account);
    if (device !== undefined) outage.served();
    return device;
  };

  return {
    findTarget: async (account) => {
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
}

/** Makes a change of the account known to the cache, whatever becomes of it. */
async function change<T>(
  cache: DeviceCache,
  account: number,
  steps: {
    readonly make: () => Promise<T>;
    readonly taken: (result: T) => ChangeEnd;
    /** Whether a change of unknown end would have left that device as it is. */
    readonly spares: (device: PushTarget) => boolean;
  },
): Promise<T> {
  const begun = cache.beginChange(account);
  let end: ChangeEnd = { kind: 'unknown', spares: steps.spares };
  try {
    const result = await steps.make();
    end = steps.taken(result);
    return result;
  } finally {
    cache.endChange(begun, end);
  }
}

function changingPart(store: DeviceStore, cache: DeviceCache): Pick<DeviceStore, 'register' | 'setSandbox'> {
  return {
    register: (registration, at) => {
      const { account, platform, appId, token } = registration;
      return change(cache, account, {
        make: () => store.register(registration, at),
        taken: (result) =>
          result.kind === 'unknown-app' ? { kind: 'nothing' } : { kind: 'taken', device: result.device },
        // The same phone again may be woken whether the database has taken it or not, another one not.
        spares: (known) => known.token === token && known.platform === platform && known.appId === appId,
      });
    },
    setSandbox: (found) => {
      const { account, token, sandbox } = found;
      // It is what Apple said, whether the database can note it or not.
      cache.amend(account, (device) => (device.token === token ? { ...device, sandbox } : device));
      return store.setSandbox(found);
    },
  };
}

function removingPart(
  store: DeviceStore,
  cache: DeviceCache,
): Pick<DeviceStore, 'unregister' | 'remove' | 'dropToken'> {
  const removing = (
    account: number,
    make: () => Promise<boolean>,
    spares: (device: PushTarget) => boolean,
  ): Promise<boolean> =>
    change(cache, account, {
      make,
      taken: (removed) => (removed ? { kind: 'taken', device: undefined } : { kind: 'nothing' }),
      spares,
    });
  return {
    unregister: (device) =>
      removing(
        device.account,
        () => store.unregister(device),
        ({ token, platform, appId }) =>
          token !== device.token || platform !== device.platform || appId !== device.appId,
      ),
    remove: (account) =>
      removing(
        account,
        () => store.remove(account),
        () => false,
      ),
    dropToken: (dead) => {
      const { account, token, appKey, registeredBefore = Number.POSITIVE_INFINITY } = dead;
      const spares = (known: PushTarget) =>
        known.token !== token || known.appKey !== appKey || known.registeredAt >= registeredBefore;
      const known = cache.get(account);
      // The provider's word counts although the database cannot note it now.
      if (known !== undefined && !spares(known)) cache.forget(account);
      return removing(account, () => store.dropToken(dead), spares);
    },
  };
}
