import { charDecoder } from './decode-char.ts';
import { accept, type Decoded, refuse } from './decoded.ts';

/** Most characters of a push token, after trimming. */
export const MAX_TOKEN = 250;

const decodeShortText = charDecoder(MAX_TOKEN);
const SPACE_INSIDE = refuse('must not contain a space');
const NO_TOKEN = refuse('is no push token, but what a program prints in place of one');

/** How iOS before 13 describes the bytes of a token: `<740f4707 bebcf74f …>`. */
const DESCRIBED_BYTES = /^<(?:[0-9a-f]{2} ?)+>$/i;
/** What programs print for nothing. */
const NOTHING = /^(?:null|nil|none|undefined|nan)$/i;
/**
 * Brackets are in no token of Apple (hexadecimal) or Google (letters, digits and `_ : -`), but in what languages print for an
 * object: `(null)`, `{length=32,bytes=0x740f…7bac}` of iOS 13 and later, `Optional("…")`, `[116,15,71]`.
 */
const DESCRIPTION = /[()[\]{}<>]|^\d+bytes$/i;

/** A push token, as an app names one that it registered, whatever it was. */
export function decodeRegisteredToken(value: unknown): Decoded<string> {
  const text = decodeShortText(value);
  if (!text.ok) return text;
  if (DESCRIBED_BYTES.test(text.value)) return accept(text.value.replace(/[<> ]/g, ''));
  return text.value.includes(' ') ? SPACE_INSIDE : text;
}

/**
 * A push token that an app registers: text of 1 to 250 characters without a space inside; other white space is let
 * through. What is evidently none is refused, because no call would reach the phone.
 */
export function decodeToken(value: unknown): Decoded<string> {
  const token = decodeRegisteredToken(value);
  return token.ok && (NOTHING.test(token.value) || DESCRIPTION.test(token.value)) ? NO_TOKEN : token;
}
