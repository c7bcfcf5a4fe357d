import { createPublicKey, type KeyObject } from 'node:crypto';
import { decodeProtectedHeader, errors, jwtVerify } from 'jose';
import { monotonic } from '../lib/monotonic.ts';
import { type AppleReason, type AppleRefusal, refuse } from './apple-refusal.ts';

/** A signing key of a developer team, as registered with Apple. */
export interface AppleKey {
  readonly keyId: string;
  readonly teamId: string;
  /** PEM (SPKI), EC P-256. */
  readonly publicKey: string;
  /** Bundle ids it may push to; any, unless told. */
  readonly topics?: readonly string[];
  /** The one environment it is for; both, unless told. */
  readonly environment?: 'production' | 'sandbox';
}

/** A provider token whose signature, key and team are in order. */
export interface AppleGrant {
  readonly kind: 'granted';
  readonly keyId: string;
  readonly topics: readonly string[] | undefined;
}

/** The keys of all teams, and the tokens that were made of them. */
export interface AppleKeys {
  register(key: AppleKey): void;
  /** Judges the `authorization` header's value. Never rejects. */
  check(authorization: string): Promise<AppleGrant | AppleRefusal>;
}

/** Apple: "refresh your token no more than once every 20 minutes and no less than once every 60 minutes". */
const LIFETIME_S = 3600;
const CLOCK_SKEW_S = 60;
const MAX_REMEMBERED = 1000;

interface Registered extends AppleKey {
  readonly verifier: KeyObject;
  /** The token in use and the monotonic time at which it was first seen. */
  current: { readonly token: string; readonly since: number } | undefined;
}

interface Verified {
  readonly key: Registered;
  readonly issuedAt: number;
}

async function verify(keys: ReadonlyMap<string, Registered>, token: string): Promise<Verified | AppleReason> {
  try {
    const key = keys.get(decodeProtectedHeader(token).kid ?? '');
    if (key === undefined) return 'InvalidProviderToken';
    const { payload } = await jwtVerify(token, key.verifier, { algorithms: ['ES256'], issuer: key.teamId });
    return payload.iat === undefined ? 'InvalidProviderToken' : { key, issuedAt: payload.iat };
  } catch (error) {
    // jose throws TypeError for what is not a token at all.
    if (error instanceof errors.JOSEError || error instanceof TypeError) return 'InvalidProviderToken';
    throw error;
  }
}

/** Makes an empty register. `minUpdateMs`: how soon a second token of a key earns TooManyProviderTokenUpdates; 0: never. */
export function createAppleKeys(options: {
  readonly environment: 'production' | 'sandbox';
  readonly minUpdateMs: number;
}): AppleKeys {
  const keys = new Map<string, Registered>();
  const verified = new Map<string, Verified>();

  const remember = (token: string, result: Verified): Verified => {
    if (verified.size >= MAX_REMEMBERED) verified.clear();
    verified.set(token, result);
    return result;
  };

  const tooSoon = (key: Registered, token: string): boolean => {
    if (key.current?.token === token) return false;
    if (key.current !== undefined && monotonic() - key.current.since < options.minUpdateMs) return true;
    key.current = { token, since: monotonic() };
    return false;
  };

  return {
    register: (key) => {
      keys.set(key.keyId, { ...key, verifier: createPublicKey(key.publicKey), current: undefined });
      verified.clear();
    },
    check: async (authorization) => {
      const token = /^bearer ([^\s]+)$/i.exec(authorization)?.[1];
      if (token === undefined) return refuse('InvalidProviderToken');
      const known = verified.get(token);
      const result = known ?? (await verify(keys, token));
      if (typeof result === 'string') return refuse(result);
      if (known === undefined) remember(token, result);
      const { key, issuedAt } = result;
      const age = Date.now() / 1000 - issuedAt;
      if (age < -CLOCK_SKEW_S) return refuse('InvalidProviderToken');
      if (age > LIFETIME_S) return refuse('ExpiredProviderToken');
      if ((key.environment ?? options.environment) !== options.environment) {
        return refuse('BadEnvironmentKeyIdInToken');
      }
      if (tooSoon(key, token)) return refuse('TooManyProviderTokenUpdates');
      return { kind: 'granted', keyId: key.keyId, topics: key.topics };
    },
  };
}
