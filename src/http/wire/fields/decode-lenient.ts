import { decodeText } from './decode-char.ts';
import { decodeToken } from './decode-token.ts';
import { accept, type Decoded } from './decoded.ts';

/** Most characters of a push profile; the only one known is `once`. */
export const MAX_PUSH_PROFILE = 255;

/**
 * A push profile, or null for anything else than text of 1 to 255 characters. The reference never looked at this
 * field, so no app in the field may fail to register over it.
 */
export function decodePushProfile(value: unknown): Decoded<string | null> {
  const text = typeof value === 'string' ? decodeText(value) : undefined;
  const usable = text?.ok === true && text.value !== '' && text.value.length <= MAX_PUSH_PROFILE;
  return accept(usable ? text.value : null);
}

/** The token for ordinary pushes, or null for anything that could not be a token; lenient as the push profile. */
export function decodeOptionalToken(value: unknown): Decoded<string | null> {
  const token = typeof value === 'string' ? decodeToken(value) : undefined;
  return accept(token?.ok === true ? token.value : null);
}
