import type { PushTarget } from '../devices/device.ts';

/** Decides at the door whether one more call is taken, before anything is asked for it. */
export interface Admission {
  /** Why no new call is taken now, for a person; undefined: it is. */
  refusal(): string | undefined;
  /** Looks up the phone of an account; rejects as the store does. */
  find(account: number): Promise<PushTarget | undefined>;
}

/**
 * Calls whose phone is being looked up count as waiting: where the database is slow they would else queue for its
 * connections without any bound.
 */
export function createAdmission(options: {
  readonly devices: { findTarget(account: number): Promise<PushTarget | undefined> };
  /** PBX requests that are held now. */
  readonly waiting: () => number;
  readonly maxWaiting: number;
  /** Whether the event loop is late. */
  readonly isLate: () => boolean;
}): Admission {
  let lookingUp = 0;
  return {
    refusal: () => {
      if (options.isLate()) return 'event loop delay';
      return options.waiting() + lookingUp >= options.maxWaiting ? 'MAX_WAITING_CALLS' : undefined;
    },
    find: async (account) => {
      lookingUp += 1;
      try {
        return await options.devices.findTarget(account);
      } finally {
        lookingUp -= 1;
      }
    },
  };
}
