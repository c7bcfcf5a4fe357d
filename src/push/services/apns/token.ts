import { createPrivateKey } from 'node:crypto';
import { SignJWT } from 'jose';
import type { AppCredential } from '../../../apps/app.ts';
import type { Clock } from '../../../lib/clock.ts';
import { credentialId } from '../../credential-id.ts';

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
  /** The other processes' token could not be read or replaced: this process uses one of its own. */
  apnsTokenNotShared(event: { readonly keyId: string; readonly error: unknown }): void;
}

/** A provider token as processes share it. */
export interface SharedToken {
  readonly jwt: string;
  /** Milliseconds since the epoch. */
  readonly mintedAt: number;
}

/**
 * Where processes with the same key find one token: Apple counts a second token of a key within 20 minutes as too many,
 * whichever process made it. Both methods reject when the place cannot be reached.
 */
export interface SharedTokens {
  load(credentialId: string): Promise<SharedToken | undefined>;
  /** Keeps `next` if `previous` is still what is kept; resolves with what is kept then. */
  replace(credentialId: string, next: SharedToken, previous: SharedToken | undefined): Promise<SharedToken>;
}

/** Longest time that a push waits for the shared token, milliseconds. */
const SHARING_LIMIT_MS = 1_000;
/** A shared token that seems to come from the future by more than this is not used, milliseconds. */
const CLOCK_SKEW_MS = 60_000;

/** Parts of the tokens. */
export interface ApnsTokensDeps {
  readonly clock: Clock;
  readonly events: ApnsTokenEvents;
  /** Absent: this process shares its tokens with no other. */
  readonly shared?: SharedTokens;
}

/**
 * Makes an empty set. A key's token outlives its last app, because an app that is removed and added again must not
 * mint within 20 minutes; of more than 1000 keys the oldest is forgotten.
 */
export function createApnsTokens(deps: ApnsTokensDeps): ApnsTokens {
  const tokens = new Map<string, ApnsToken>();
  return {
    forKey: (key) => {
      const id = credentialId(key);
      const known = tokens.get(id);
      if (known !== undefined) return known;
      const oldest = tokens.keys().next();
      if (tokens.size >= MAX_KEYS && oldest.done !== true) tokens.delete(oldest.value);
      const token = createApnsToken(key, id, deps);
      tokens.set(id, token);
      return token;
    },
  };
}

interface Held {
  readonly header: string;
  readonly at: number;
  readonly wallAt: number;
}

function createApnsToken(key: ApnsKey, id: string, { clock, events, shared }: ApnsTokensDeps): ApnsToken {
  const privateKey = createPrivateKey(key.privateKey);
  let held: Held | undefined;
  let refused: string | undefined;
  let renewing: Promise<string> | undefined;

  // A machine that slept or whose clock was set holds a token whose `iat` means nothing to Apple any more: both
  // clocks count, in either direction.
  const age = (token: Held): number =>
    Math.max(clock.now() - token.at, Math.abs(clock.wall() - token.wallAt));

  async function sign(): Promise<SharedToken> {
    const mintedAt = clock.wall();
    const jwt = await new SignJWT()
      .setProtectedHeader({ alg: 'ES256', kid: key.keyId })
      .setIssuer(key.teamId)
      .setIssuedAt(Math.floor(mintedAt / 1000))
      .sign(privateKey);
    events.apnsTokenMinted({ teamId: key.teamId, keyId: key.keyId });
    return { jwt, mintedAt };
  }

  const isFresh = ({ jwt, mintedAt }: SharedToken): boolean => {
    const old = clock.wall() - mintedAt;
    return old >= -CLOCK_SKEW_MS && old < RENEW_AFTER_MS && `bearer ${jwt}` !== refused;
  };

  /** Another process's token while that is good, else a new one, which the others then use. */
  async function shareOrSign(others: SharedTokens): Promise<SharedToken> {
    const known = await others.load(id);
    if (known !== undefined && isFresh(known)) return known;
    return others.replace(id, await sign(), known);
  }

  async function renew(): Promise<string> {
    const token = (shared && (await inTime(shareOrSign(shared)))) ?? (await sign());
    const old = Math.max(0, clock.wall() - token.mintedAt);
    held = { header: `bearer ${token.jwt}`, at: clock.now() - old, wallAt: token.mintedAt };
    return held.header;
  }

  /** Undefined, and told, when the others' token cannot be had in time. */
  async function inTime(sharing: Promise<SharedToken>): Promise<SharedToken | undefined> {
    let cancel = (): void => {};
    const late = new Promise<never>((_, reject) => {
      cancel = clock.after(SHARING_LIMIT_MS, () => reject(new Error('no answer in time')));
    });
    try {
      return await Promise.race([sharing, late]);
    } catch (error) {
      events.apnsTokenNotShared({ keyId: key.keyId, error });
      return undefined;
    } finally {
      cancel();
    }
  }

  return {
    current: () => {
      if (held !== undefined && age(held) < RENEW_AFTER_MS) return held.header;
      renewing ??= renew().finally(() => {
        renewing = undefined;
      });
      return renewing;
    },
    expired: (used) => {
      if (held === undefined || held.header !== used) return true;
      if (age(held) < KEEP_AT_LEAST_MS) return false;
      held = undefined;
      refused = used;
      return true;
    },
  };
}
