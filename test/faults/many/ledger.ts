import type { PhoneKind } from '../../../src/sandbox/phone-app.ts';
import type { CallRecord } from './call-record.ts';

/** An account and its phone. */
export interface Subscriber {
  readonly account: number;
  readonly kind: PhoneKind;
  readonly token: string;
}

const FIRST_ACCOUNT = 300_000_000;

/** So many accounts with phones, every other one of Apple's. */
export function makeSubscribers(count: number): readonly Subscriber[] {
  return Array.from({ length: count }, (_, index) => {
    const account = FIRST_ACCOUNT + index;
    const kind: PhoneKind = index % 2 === 0 ? 'ios' : 'android';
    const token = kind === 'ios' ? account.toString(16).padStart(64, '0') : `fcm-${account}:x_y-z`;
    return { account, kind, token };
  });
}

/** Every call that was asked, and the latest one of each account. */
export interface Ledger {
  readonly calls: CallRecord[];
  add(call: CallRecord): void;
  /** The call that a push to the account is for: one account has one call at a time. */
  latest(account: number): CallRecord | undefined;
}

/** Makes an empty ledger. */
export function createLedger(): Ledger {
  const calls: CallRecord[] = [];
  const byAccount = new Map<number, CallRecord>();
  return {
    calls,
    add: (call) => {
      calls.push(call);
      byAccount.set(call.account, call);
    },
    latest: (account) => byAccount.get(account),
  };
}
