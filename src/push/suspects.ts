import type { PushTarget } from '../devices/device.ts';

/** What tells one device from another: two are the same if they share an account or a push token. */
export type DeviceIdentity = Pick<PushTarget, 'account' | 'token'>;

/** Devices remembered; of more the oldest is forgotten. */
const MAX_DEVICES = 1_000;
/** How long a failure is held against a device that is not called again, milliseconds. */
const MEMORY_MS = 10 * 60_000;

/** What is held against one device. Times are monotonic milliseconds. */
export interface Suspicion {
  /** Its first failure since its own last success. */
  readonly since: number;
  failedAt: number;
  /** How many successes there had been by then. */
  readonly successes: number;
  /** The row of failures that it was last counted in; 0: none. */
  row: number;
  /** When it last failed as a probe. */
  probedAt: number;
}

/** Devices whose last push failed, so that one which always fails is not taken for a new witness each time. */
export interface Suspects {
  of(device: DeviceIdentity): Suspicion | undefined;
  /** Notes a failure. */
  add(device: DeviceIdentity): Suspicion;
  /** A push succeeded: nothing is held against its device any more. */
  clear(device: DeviceIdentity): void;
  /** Others have succeeded since its failures began: it fails alone. */
  failsAlone(known: Suspicion): boolean;
}

/** Makes an empty set of at most 1000 devices, each kept for ten minutes after its last failure. */
export function createSuspects(now: () => number): Suspects {
  const byAccount = new Map<DeviceIdentity['account'], Suspicion>();
  const byToken = new Map<DeviceIdentity['token'], Suspicion>();
  let successes = 0;

  function find(device: DeviceIdentity): Suspicion | undefined {
    const known = byAccount.get(device.account) ?? byToken.get(device.token);
    return known !== undefined && now() - known.failedAt <= MEMORY_MS ? known : undefined;
  }

  return {
    of: find,
    add: (device) => {
      const at = now();
      const suspicion = find(device) ?? {
        since: at,
        failedAt: at,
        successes,
        row: 0,
        probedAt: Number.NEGATIVE_INFINITY,
      };
      suspicion.failedAt = at;
      remember(byAccount, device.account, suspicion);
      remember(byToken, device.token, suspicion);
      return suspicion;
    },
    failsAlone: (known) => successes > known.successes,
    clear: (device) => {
      successes += 1;
      if (byAccount.size === 0) return;
      byAccount.delete(device.account);
      byToken.delete(device.token);
    },
  };
}

function remember<K>(map: Map<K, Suspicion>, key: K, suspicion: Suspicion): void {
  // Taken out first, so that the order is that of the last failures.
  map.delete(key);
  map.set(key, suspicion);
  const oldest = map.keys().next();
  if (map.size > MAX_DEVICES && oldest.done !== true) map.delete(oldest.value);
}
