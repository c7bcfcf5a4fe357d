import { decodeText, withoutNul } from './decode-char.ts';
import { accept, type Decoded } from './decoded.ts';
import { isLongerThan } from './python-text.ts';

const GRAPHEMES = new Intl.Segmenter(undefined, { granularity: 'grapheme' });

/**
 * The beginning of `text` that has at most `limit` code points, cut between the characters that a person sees (grapheme
 * clusters). One such character that is longer than the limit is cut between code points. `text` must be well-formed.
 */
export function cutText(text: string, limit: number): string {
  if (!isLongerThan(text, limit)) return text;
  // Two UTF-16 units a code point at most: what is behind can only be cut off.
  const head = text.slice(0, limit * 2 + 2);
  let end = 0;
  let left = limit;
  for (const { segment } of GRAPHEMES.segment(head)) {
    left -= [...segment].length;
    if (left < 0) break;
    end += segment.length;
  }
  return end > 0 ? head.slice(0, end) : [...head].slice(0, limit).join('');
}

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
