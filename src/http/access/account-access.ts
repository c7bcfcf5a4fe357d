/**
 * Whether the holder of an Authorization header may act for an account. `unauthenticated` makes apps log their user
 * out, so it is only for a credential that the platform itself refused.
 */
export type AccountVerdict = 'allowed' | 'unauthenticated' | 'forbidden' | 'unavailable';

/** Who may register a phone for an account. */
export interface AccountAccess {
  /** False where nobody is asked and no Authorization header is needed. */
  readonly asks: boolean;
  /** Never rejects. */
  check(authorization: string, account: number): Promise<AccountVerdict>;
  close(): Promise<void>;
}

/** Everybody may: for a service that only this machine can reach. */
export const openAccess: AccountAccess = {
  asks: false,
  check: async () => 'allowed',
  close: async () => {},
};
