import { randomInt } from 'node:crypto';

/** The loopback addresses of one run: a network of its own, so that two runs at once do not meet. */
export interface Network {
  /** Where Kamailio listens, on SIP's usual port. */
  readonly proxy: string;
  /** The PBX that calls come from. */
  readonly caller: string;
  readonly voicemail: string;
  /** An address for one more phone. Throws when there are no more. */
  nextPhone(): string;
}

/** SIP's port; every address has it for itself. */
export const SIP_PORT = 5060;
const FIRST_PHONE = 10;
const LAST_PHONE = 254;

/** Picks a network by chance. On Linux all of 127.0.0.0/8 is this machine. */
export function pickNetwork(): Network {
  const prefix = `127.${randomInt(10, 250)}.${randomInt(1, 250)}`;
  let phone = FIRST_PHONE;
  return {
    proxy: `${prefix}.1`,
    caller: `${prefix}.2`,
    voicemail: `${prefix}.3`,
    nextPhone: () => {
      if (phone > LAST_PHONE) throw new RangeError('the run has no address for one more phone');
      phone += 1;
      return `${prefix}.${phone - 1}`;
    },
  };
}
