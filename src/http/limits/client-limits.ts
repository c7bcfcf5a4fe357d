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
  failed(request: FastifyRequest, account: number): void;
}

/** Makes the limits of their counters. */
export function createClientLimits(counters: {
  readonly answers: FailureCounter;
  readonly pbx: FailureCounter;
  readonly accounts: FailureCounter;
  readonly accountAddresses: FailureCounter;
}): ClientLimits {
  const { accounts, accountAddresses } = counters;
  return {
    answers: byAddress(counters.answers),
    pbx: byAddress(counters.pbx),
    accounts: {
      blockedForMs: ({ ip }, account) => {
        const address = addressGroup(ip);
        return Math.max(
          accounts.blockedForMs(`${address} ${account}`),
          accountAddresses.blockedForMs(address),
        );
      },
      failed: ({ ip }, account) => {
        const address = addressGroup(ip);
        accounts.failed(`${address} ${account}`);
        accountAddresses.failed(address);
      },
    },
  };
}

function byAddress(counter: FailureCounter): AddressLimit {
  return {
    blockedForMs: ({ ip }) => counter.blockedForMs(addressGroup(ip)),
    failed: ({ ip }) => counter.failed(addressGroup(ip)),
  };
}
