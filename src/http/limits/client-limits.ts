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
  /** Whether an answer may cost a question to other instances although its address is over its limit. */
  mayStillAsk(): boolean;
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

/**
 * Questions a second that answers from addresses over their limit may cost together. Behind one address of a carrier
 * there are many phones: theirs must be found among the guesses, and guesses must not reach Redis without a bound.
 */
const QUESTIONS_PER_SECOND = 100;

/** Makes the limits of their counters. */
export function createClientLimits(counters: {
  readonly answers: FailureCounter;
  readonly pbx: FailureCounter;
  readonly accounts: FailureCounter;
  readonly accountAddresses: FailureCounter;
  /** Monotonic milliseconds. */
  readonly clock: () => number;
}): ClientLimits {
  const { accounts, accountAddresses, clock } = counters;
  let second = 0;
  let asked = 0;
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
    mayStillAsk: () => {
      const current = Math.floor(clock() / 1_000);
      if (current !== second) [second, asked] = [current, 0];
      asked += 1;
      return asked <= QUESTIONS_PER_SECOND;
    },
  };
}

function byAddress(counter: FailureCounter): AddressLimit {
  return {
    blockedForMs: ({ ip }) => counter.blockedForMs(addressGroup(ip)),
    failed: ({ ip }) => counter.failed(addressGroup(ip)),
  };
}
