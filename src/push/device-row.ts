import type { DeviceIdentity } from './suspects.ts';

/** Counts different devices, up to a limit: the same account or the same push token again is the same device. */
export interface DeviceRow {
  /** How many there are. */
  size(): number;
  add(device: DeviceIdentity): void;
  clear(): void;
}

/** Makes an empty row that counts up to `limit`. */
export function createDeviceRow(limit: number): DeviceRow {
  const accounts = new Set<DeviceIdentity['account']>();
  const tokens = new Set<DeviceIdentity['token']>();
  return {
    size: () => accounts.size,
    add: ({ account, token }) => {
      if (accounts.size >= limit || accounts.has(account) || tokens.has(token)) return;
      accounts.add(account);
      tokens.add(token);
    },
    clear: () => {
      if (accounts.size === 0) return;
      accounts.clear();
      tokens.clear();
    },
  };
}
