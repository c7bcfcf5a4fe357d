import { callerOfAddress } from './caller-address.ts';
import { cutText } from './cut-text.ts';
import { decodeText, withoutNul } from './decode-char.ts';
import { accept, type Decoded } from './decoded.ts';

/** Most characters of a phone number, after trimming. */
const MAX_PHONE_NUMBER = 32;

/** What the app shows for a caller without a number; what RFC 3323 calls one. */
export const WITHHELD = 'anonymous';

/** What nearly every call has; the patterns below are slower. */
const PLAIN = /^\+?[0-9]{1,31}$/;
/** All but letters, digits and the signs of a SIP user part (RFC 3261, 25.1), of a dial string and of a written number. */
const STRANGE = /[^\p{L}\p{M}\p{N}+()–*#\-_.!~'&=$,;?/%@: ]+/gu;
/** Something that names a caller, not only punctuation. */
const NAMES_SOMEONE = /[\p{L}\p{N}*#]/u;

/**
 * Who calls: digits with the usual signs, a service code (`*21`), a suppressed number (`anonymous`, `xxxx`) or a SIP user,
 * trimmed. Never refused, since nothing about the caller is a reason to lose the call: of an address its user counts,
 * characters that no number has are left out, what is too long is cut, and what names nobody is `anonymous`.
 */
export function decodePhoneNumber(value: unknown): Decoded<string> {
  if (typeof value === 'string' && PLAIN.test(value)) return accept(value);
  const text = decodeText(withoutNul(value));
  return accept(text.ok ? numberIn(text.value) : WITHHELD);
}

function numberIn(text: string): string {
  const caller = callerOfAddress(text)
    .replace(/[\t\r\n]+/g, ' ')
    .replace(STRANGE, '')
    .trim();
  return NAMES_SOMEONE.test(caller) ? cutText(caller, MAX_PHONE_NUMBER).trim() : WITHHELD;
}
