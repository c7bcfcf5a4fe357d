import { charDecoder } from './decode-char.ts';
import { type Decoded, refuse } from './decoded.ts';

/** Most characters of a phone number, after trimming. */
export const MAX_PHONE_NUMBER = 32;

const decodeShortText = charDecoder(MAX_PHONE_NUMBER);

/** What nearly every call has; the pattern below is slower. */
const PLAIN = /^\+?[0-9]+$/;
/** Letters, digits and the signs of a SIP user part (RFC 3261, 25.1), of a dial string and of a written number. */
const ALLOWED = /^[\p{L}\p{M}\p{N}+()–*#\-_.!~'&=$,;?/%@: ]+$/u;
/** Something that names a caller, not only punctuation. */
const NAMES_SOMEONE = /[\p{L}\p{N}*#]/u;
const PROBLEM = refuse('must be a phone number, a SIP user name or a word for a suppressed number');

/**
 * Who calls: digits with the usual signs, a service code (`*21`), a suppressed number (`anonymous`, `xxxx`) or a SIP
 * user part, since a caller without a number is no reason to lose a call. Pushed as it is sent, trimmed.
 */
export function decodePhoneNumber(value: unknown): Decoded<string> {
  const text = decodeShortText(value);
  if (!text.ok || PLAIN.test(text.value)) return text;
  return ALLOWED.test(text.value) && NAMES_SOMEONE.test(text.value) ? text : PROBLEM;
}
