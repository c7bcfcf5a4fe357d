import { charDecoder } from './decode-char.ts';
import { type Decoded, refuse } from './decoded.ts';

/** Most characters of a push token, after trimming. */
export const MAX_TOKEN = 250;

const decodeShortText = charDecoder(MAX_TOKEN);
const SPACE_INSIDE = refuse('must not contain a space');

/** A push token: text of 1 to 250 characters without a space inside; other white space is let through. */
export function decodeToken(value: unknown): Decoded<string> {
  const text = decodeShortText(value);
  return text.ok && text.value.includes(' ') ? SPACE_INSIDE : text;
}
