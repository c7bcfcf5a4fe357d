import { cutText } from './cut-text.ts';
import { decodeText, withoutNul } from './decode-char.ts';
import { accept, type Decoded } from './decoded.ts';

/**
 * A text about a call that need not be exact: trimmed, cut to `maxLength` code points between two characters, without
 * NUL. Empty where no text was sent. Never refused: it is no reason to lose a call.
 */
export function cutTextDecoder(maxLength: number): (value: unknown) => Decoded<string> {
  return (value) => {
    const text = decodeText(withoutNul(value));
    return accept(text.ok ? cutText(text.value, maxLength).trimEnd() : '');
  };
}
