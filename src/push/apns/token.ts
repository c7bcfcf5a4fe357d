import { createPrivateKey } from 'node:crypto';
import { SignJWT } from 'jose';
import type { AppCredential } from '../../devices/app.ts';
import type { Clock } from '../clock.ts';
import { credentialId } from '../credential-id.ts';

/** Apple's credential for every app of a team. */
type ApnsKey = Extract<AppCredential, { kind: 'apns-key' }>;

/** Apple refuses a token after 60 minutes; it is renewed after 50. */
const RENEW_AFTER_MS = 50 * 60_000;
/** Apple answers 429 TooManyProviderTokenUpdates to a key whose token changes within 20 minutes. */
const KEEP_AT_LEAST_MS = 20 * 60_000;
/** Keys whose token is remembered; a process knows a handful. */
const MAX_KEYS = 1_000;

/** One key's provider token, as the `authorization` header carries it. */
export interface ApnsToken {
  /** The header's value, made now if the last one is too old. Rejects when the key cannot sign. */
  current(): string | Promise<string>;
  /**
   * Apple says that `used` has expired: true when another one will be used from now on, false when `used` is younger
   * than 20 minutes and must be kept.
   */
  expired(used: string): boolean;
}

/** The tokens of all keys: apps with the same key share one, so that none of them makes Apple count two. */
export interface ApnsTokens {
  /** Throws when the key is no private key. */
  forKey(key: ApnsKey): ApnsToken;
}

/** What is told of a token: for log and metrics. */
export interface ApnsTokenEvents {
  apnsTokenMinted(event: { readonly teamId: string; readonly keyId: string }): void;
}

/**
 * Makes an empty set. A key's token outlives its last app, because an app that is removed and added again must not
 * mint within 20 minutes; of more than 1000 keys the oldest is forgotten.
 */
export function createApnsTokens(parts: {
  readonly clock: Clock;
  readonly events: ApnsTokenEvents;
}): ApnsTokens {
  const tokens = new Map<string, ApnsToken>();
  return {
    forKey: (key) => {
      const id = credentialId(key);
      const known = tokens.get(id);
      if (known !== undefined) return known;
      const oldest = tokens.keys().next();
      if (tokens.size >= MAX_KEYS && oldest.done !== true) tokens.delete(oldest.value);
      const token = createApnsToken(key, parts.clock, parts.events);
      tokens.set(id, token);
      return token;
    },
  };
}

interface Minted {
  readonly header: string;
  readonly at: number;
  readonly wallAt: number;
}

function createApnsToken(key: ApnsKey, clock: Clock, events: ApnsTokenEvents): ApnsToken {
  const privateKey = createPrivateKey(key.privateKey);
  let minted: Minted | undefined;
  let minting: Promise<string> | undefined;

  // A machine that slept or whose clock was set holds a token whose `iat` means nothing to Apple any more: both
  // clocks count, in either direction.
  const age = (token: Minted): number =>
    Math.max(clock.now() - token.at, Math.abs(clock.wall() - token.wallAt));

  async function mint(): Promise<string> {
    const at = clock.now();
    const wallAt = clock.wall();
    const jwt = await new SignJWT()
      .setProtectedHeader({ alg: 'ES256', kid: key.keyId })
      .setIssuer(key.teamId)
      .setIssuedAt(Math.floor(wallAt / 1000))
      .sign(privateKey);
    minted = { header: `bearer ${jwt}`, at, wallAt };
    events.apnsTokenMinted({ teamId: key.teamId, keyId: key.keyId });
    return minted.header;
  }

  return {
    current: () => {
      if (minted !== undefined && age(minted) < RENEW_AFTER_MS) return minted.header;
      minting ??= mint().finally(() => {
        minting = undefined;
      });
      return minting;
    },
    expired: (used) => {
      if (minted === undefined || minted.header !== used) return true;
      if (age(minted) < KEEP_AT_LEAST_MS) return false;
      minted = undefined;
      return true;
    },
  };
}
