import type { FastifyRequest } from 'fastify';
import { addressGroup } from '../../lib/address-group.ts';
import type { FailureCounter } from './failure-counter.ts';

/** What a client may do wrong, and how often; every figure is milliseconds until it may again, 0: now. */
export interface ClientLimits {
  /** Answers to calls that nobody knows, by address. */
  readonly answers: AddressLimit;
  /** Requests of PBXs that may not, by address. */
  readonly pbx: AddressLimit;
  /** Credentials that the platform refused, by address and account, and by address alone. */
  readonly accounts: AccountLimit;
}

/** Counts by the address of the client. */
export interface AddressLimit {
  blockedForMs(request: FastifyRequest): number;
  failed(request: FastifyRequest): void;
}

/** Counts by the address of the client and the account that it acts for. */
export interface AccountLimit {
  blockedForMs(request: FastifyRequest, account: number): number;
  /** A credential is being judged; to be told of the verdict, once. */
  begins(request: FastifyRequest, account: number): (failed: boolean) => void;
}

/** Makes the limits of their counters. */
export function createClientLimits(counters: {
  readonly answers: FailureCounter;
  readonly pbx: FailureCounter;
  readonly accounts: FailureCounter;
  readonly accountAddresses: FailureCounter;
}): ClientLimits {
  return {
    answers: byAddress(counters.answers),
    pbx: byAddress(counters.pbx),
    accounts: byAccount(counters.accounts, counters.accountAddresses),
  };
}

/** Judging takes the platform's time: what is under way counts too, else all guesses would be sent at one moment. */
function byAccount(accounts: FailureCounter, addresses: FailureCounter): AccountLimit {
  const underWay = new Map<string, number>();
  const add = (key: string, change: 1 | -1): void => {
    const left = (underWay.get(key) ?? 0) + change;
    if (left === 0) underWay.delete(key);
    else underWay.set(key, left);
  };
  return {
    blockedForMs: ({ ip }, account) => {
      const address = addressGroup(ip);
      const key = `${address} ${account}`;
      return Math.max(accounts.blockedForMs(key, underWay.get(key)), addresses.blockedForMs(address));
    },
    begins: ({ ip }, account) => {
      const address = addressGroup(ip);
      const key = `${address} ${account}`;
      add(key, 1);
      return (failed) => {
        add(key, -1);
        if (!failed) return;
        accounts.failed(key);
        addresses.failed(address);
      };
    },
  };
}

function byAddress(counter: FailureCounter): AddressLimit {
  return {
    blockedForMs: ({ ip }) => counter.blockedForMs(addressGroup(ip)),
    failed: ({ ip }) => counter.failed(addressGroup(ip)),
  };
}
