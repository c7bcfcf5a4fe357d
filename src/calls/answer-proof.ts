import { createHmac, timingSafeEqual } from 'node:crypto';
import { newUniqueKey, randomHex } from './unique-key.ts';

/** What binds an app's answer to the push that it answers. */
export interface AnswerProofs {
  /** The address that the app of this call answers to, absolute. */
  addressFor(base: string, uniqueKey: string): string;
  /** Whether whoever names this key has seen its push. `proof` is what stood in the address, empty where nothing did. */
  proves(uniqueKey: string, proof: string): boolean;
  /**
   * Makes a new key for each call, so that the proof of one call is none for a later call with the same call_id;
   * undefined: the PBX's call_id may be the key.
   */
  readonly newKey: (() => string) | undefined;
}

/** Secrets of the proofs, and where they are put. */
export interface AnswerProofOptions {
  /** Makes proofs; its proofs are accepted. */
  readonly secret: string;
  /** Proofs made with it are accepted as well: the other one of a rotation. */
  readonly otherSecret: string | undefined;
  /** `address`: in the query of the address. `key`: in the key itself, for apps that do not answer to the address. */
  readonly carrier: 'address' | 'key';
}

/** Name of the parameter in the query of `response_api`. */
export const PROOF_PARAMETER = 'proof';

/** 128 bits of HMAC-SHA-256 (RFC 2104, section 5: not less than half of the hash): 22 characters of base64url. */
const PROOF_BYTES = 16;
/** Hex digits of a key that proves itself: 64 random bits, then 64 bits of their MAC. */
const KEY_PART = 16;

/** What a MAC is for goes into it, so that one is never good for another purpose. */
const FOR_ADDRESS = 'vialer-middleware answer address 2\n';
const FOR_KEY = 'vialer-middleware answer key 1\n';

/**
 * Proofs by HMAC: nothing is kept, so every instance with the secret knows an answer to a push of any other. Both
 * carriers are accepted whichever is used, so that it can be changed while calls wait.
 */
export function createAnswerProofs(options: AnswerProofOptions): AnswerProofs {
  const { secret, otherSecret, carrier } = options;
  const secrets = otherSecret === undefined ? [secret] : [secret, otherSecret];
  const addressProof = (with_: string, key: string): string =>
    mac(with_, FOR_ADDRESS, key).toString('base64url', 0, PROOF_BYTES);
  const keyProof = (with_: string, random: string): string =>
    mac(with_, FOR_KEY, random).toString('hex', 0, KEY_PART / 2);
  const provesItself = (uniqueKey: string): boolean => {
    const [random, made] = [uniqueKey.slice(0, KEY_PART), uniqueKey.slice(KEY_PART)];
    return secrets.some((each) => isSame(made, keyProof(each, random)));
  };

  return {
    // A call that was begun by an instance with the other carrier keeps its key when it is taken over.
    addressFor: (base, uniqueKey) =>
      carrier === 'key' && provesItself(uniqueKey)
        ? base
        : `${base}?${PROOF_PARAMETER}=${addressProof(secret, uniqueKey)}`,
    proves: (uniqueKey, proof) =>
      secrets.some((each) => isSame(proof, addressProof(each, uniqueKey))) || provesItself(uniqueKey),
    newKey:
      carrier === 'address'
        ? newUniqueKey
        : () => {
            const random = randomHex(KEY_PART / 2);
            return random + keyProof(secret, random);
          },
  };
}

/** Where no secret is set: every answer counts, as in the reference. */
export const NO_PROOFS: AnswerProofs = {
  addressFor: (base) => base,
  proves: () => true,
  newKey: undefined,
};

function mac(secret: string, purpose: string, text: string): Buffer {
  return createHmac('sha256', secret).update(purpose).update(text).digest();
}

/** Compares in a time that depends on lengths only, which everybody knows. */
function isSame(sent: string, expected: string): boolean {
  const [left, right] = [Buffer.from(sent), Buffer.from(expected)];
  return left.length === right.length && timingSafeEqual(left, right);
}
