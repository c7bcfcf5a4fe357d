import type { FastifyRequest } from 'fastify';
import { addressGroup } from '../../../lib/address-group.ts';
import { CredentialsUnderWay } from './credentials-under-way.ts';
import type { FailureCounter } from './failure-counter.ts';

/** What a client may do wrong, and how often; every figure is milliseconds until it may again, 0: now. */
export interface ClientLimits {
  /** Answers to calls that nobody knows, by address. */
  readonly answers: AddressLimit;
  /** Requests of PBXs that may not, by address. */
  readonly pbx: AddressLimit;
  /** Credentials that the platform refused, by address and account, and by address alone. */
  readonly accounts: AccountLimit;
  /** Registrations and removals of phones that were let through, by account. */
  readonly registrations: AccountRate;
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

/** Counts by account alone, from wherever: what is counted has been let through. */
export interface AccountRate {
  blockedForMs(account: number): number;
  came(account: number): void;
}

/** Makes the limits of their counters. */
export function createClientLimits(counters: {
  readonly answers: FailureCounter;
  readonly pbx: FailureCounter;
  readonly accounts: FailureCounter;
  readonly accountAddresses: FailureCounter;
  readonly registrations: FailureCounter;
}): ClientLimits {
  return {
    answers: byAddress(counters.answers),
    pbx: byAddress(counters.pbx),
    accounts: byAccount(counters.accounts, counters.accountAddresses),
    registrations: {
      blockedForMs: (account) => counters.registrations.blockedForMs(String(account)),
      came: (account) => counters.registrations.failed(String(account)),
    },
  };
}

/**
 * Judging takes the platform's time, in which all guesses could be sent: the credentials under way count too, each once,
 * since a phone sends the same one again and whoever guesses another.
 */
function byAccount(accounts: FailureCounter, addresses: FailureCounter): AccountLimit {
  const underWay = new CredentialsUnderWay();
  return {
    blockedForMs: (request, account) => {
      const address = addressGroup(request.ip);
      const key = `${address} ${account}`;
      const credential = credentialOf(request);
      return Math.max(
        accounts.blockedForMs(key, underWay.others(key, credential)),
        addresses.blockedForMs(address, underWay.others(address, `${account} ${credential}`)),
      );
    },
    begins: (request, account) => {
      const address = addressGroup(request.ip);
      const key = `${address} ${account}`;
      const credential = credentialOf(request);
      underWay.enter(key, credential);
      underWay.enter(address, `${account} ${credential}`);
      return (failed) => {
        underWay.leave(key, credential);
        underWay.leave(address, `${account} ${credential}`);
        if (!failed) return;
        accounts.failed(key);
        addresses.failed(address);
      };
    },
  };
}

function credentialOf({ headers }: FastifyRequest): string {
  return headers.authorization ?? '';
}

function byAddress(counter: FailureCounter): AddressLimit {
  return {
    blockedForMs: ({ ip }) => counter.blockedForMs(addressGroup(ip)),
    failed: ({ ip }) => counter.failed(addressGroup(ip)),
  };
}
