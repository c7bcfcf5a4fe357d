import { type AppleRefusal, refuse } from './apple-refusal.ts';

/** The phones that Apple knows of in one environment. */
export interface AppleDevices {
  /** From now on pushes to `token` must be for this app. */
  register(device: { readonly token: string; readonly bundleId: string }): void;
  /** From now on `token` is dead, since `at` (milliseconds since the epoch). */
  unregister(token: string, at: number): void;
  /** Whether a push for `topic` reaches `token`; undefined: yes. */
  check(token: string, topic: string): AppleRefusal | undefined;
}

/** Makes an empty list of phones. `knownOnly`: a token that was never registered is a BadDeviceToken. */
export function createAppleDevices(knownOnly: boolean): AppleDevices {
  const bundleIds = new Map<string, string>();
  const dead = new Map<string, number>();
  return {
    register: ({ token, bundleId }) => {
      bundleIds.set(token, bundleId);
      dead.delete(token);
    },
    unregister: (token, at) => {
      dead.set(token, at);
    },
    check: (token, topic) => {
      const diedAt = dead.get(token);
      if (diedAt !== undefined) return { ...refuse('Unregistered'), timestamp: diedAt };
      const bundleId = bundleIds.get(token);
      if (bundleId === undefined) return knownOnly ? refuse('BadDeviceToken') : undefined;
      return topic === bundleId || topic.startsWith(`${bundleId}.`)
        ? undefined
        : refuse('DeviceTokenNotForTopic');
    },
  };
}
