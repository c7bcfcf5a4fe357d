import { isIP } from 'node:net';

/** A quoted display name before the address (RFC 3261, 25.1: quoted-string). */
const DISPLAY_NAME = /^"((?:[^"\\]|\\.)*)"\s*/s;
/** Schemes of telephony, wherever they begin: not every PBX puts the address in brackets. */
const SCHEME = /(?:^|\s)(sips?|tel|h323):/i;
const DIALLED = /^\+?[0-9*#()\-.]+$/;
/** Words that PBXs put where there is no number: Asterisk's `<unknown>`, RFC 3323's `sip:anonymous@anonymous.invalid`. */
const NOBODY = /^(?:anonymous|unknown|unavailable|restricted|private|withheld|none|null)$/i;
const WITHHELD_HOST = /^[^@]*@anonymous\.invalid\b/i;

/**
 * Who is behind an address that stands where a number should: the user of a SIP URI or `user@host`, the number of a tel
 * URI, what a name-addr (`"Bob" <sip:101@pbx>;tag=1`) has in its brackets; escapes decoded, without parameters and
 * password. Empty where the address names nobody. Text that is no address comes back as it is.
 */
export function callerOfAddress(text: string): string {
  const [quoted, displayName] = DISPLAY_NAME.exec(text) ?? [];
  const bare = quoted === undefined ? text : text.slice(quoted.length);
  // Quotation marks around everything: the number is in them.
  if (bare === '' && displayName !== undefined) return displayName;
  const open = bare.indexOf('<');
  if (open === -1) return callerOf(bare);
  const close = bare.indexOf('>', open);
  const caller = callerOf(bare.slice(open + 1, close === -1 ? undefined : close).trim());
  return NOBODY.test(caller) ? '' : caller;
}

function callerOf(text: string): string {
  const scheme = SCHEME.exec(text);
  if (scheme === null) return text.includes('@') ? userOf(text) : text;
  const address = text.slice(scheme.index + scheme[0].length);
  if (scheme[1]?.toLowerCase() === 'tel') return numberOf(address);
  const caller = address.includes('@') ? userOf(address) : hostlessNumber(address);
  return NOBODY.test(caller) ? '' : caller;
}

/** `user;parameters:password@host`, of which the parameters are those of a telephone number (RFC 3261, 19.1.6). */
function userOf(address: string): string {
  if (WITHHELD_HOST.test(address)) return '';
  const [user = ''] = /^[^@;:]*/.exec(address) ?? [];
  return decodeEscapes(user);
}

/** RFC 3966: parameters follow a semicolon. */
function numberOf(address: string): string {
  const [number = ''] = /^[^;?]*/.exec(address) ?? [];
  return decodeEscapes(number);
}

/** `sip:1234` is a number that somebody forgot the host of; `sip:pbx.example.org` is a host without a user. */
function hostlessNumber(address: string): string {
  const [name = ''] = /^[^;?:]*/.exec(address) ?? [];
  const decoded = decodeEscapes(name);
  return DIALLED.test(decoded) && isIP(decoded) === 0 ? decoded : '';
}

function decodeEscapes(text: string): string {
  if (!text.includes('%')) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    // Escapes of Latin-1, or none at all: what is no UTF-8 becomes U+FFFD.
    return new URLSearchParams(`v=${text.replaceAll('&', '%26').replaceAll('+', '%2b')}`).get('v') ?? text;
  }
}
