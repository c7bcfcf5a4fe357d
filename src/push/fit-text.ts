/** Size of `text` as JSON string content in UTF-8 bytes, its quotes not counted. */
function jsonBytes(text: string): number {
  return Buffer.byteLength(JSON.stringify(text)) - 2;
}

/**
 * The longest beginning of `text` that takes at most `maxBytes` inside a JSON string, cut between the characters
 * that a person sees (grapheme clusters), so never inside an emoji, an accent or an escape. `text` must be well-formed.
 */
function fitText(text: string, maxBytes: number): string {
  if (jsonBytes(text) <= maxBytes) return text;
  let end = 0;
  let left = maxBytes;
  for (const { segment } of new Intl.Segmenter(undefined, { granularity: 'grapheme' }).segment(text)) {
    left -= jsonBytes(segment);
    if (left < 0) break;
    end += segment.length;
  }
  return text.slice(0, end);
}

/**
 * Makes JSON of at most `limit` UTF-8 bytes by shortening the caller's name, the one field that may lose a part.
 * Where even an empty name does not help, the result is over the limit and the provider refuses it.
 * Lone surrogates become U+FFFD: both phones' JSON parsers reject them, and with them the call.
 */
export function fitPayload(callerId: string, limit: number, build: (callerId: string) => string): string {
  const name = callerId.toWellFormed();
  const whole = build(name);
  // A UTF-16 unit takes at most 3 bytes, so nearly every payload is known to fit without counting.
  if (whole.length * 3 <= limit) return whole;
  const excess = Buffer.byteLength(whole) - limit;
  return excess <= 0 ? whole : build(fitText(name, jsonBytes(name) - excess));
}
