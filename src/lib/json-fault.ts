/** What a text in place of JSON shows at its fault. */
const HINTS: readonly (readonly [RegExp, string])[] = [
  [/^['‘’]/, 'JSON has double quotes, not single ones'],
  [/^[“”„«»]/, 'it has curly quotes; write straight ones'],
  [/^[}\]]/, 'there is a comma too many before it'],
];

/** Why a text that `JSON.parse` refuses is no JSON, and where; continues a sentence and quotes nothing of the text. */
export function jsonFault(text: string): string {
  const words = refusal(text) ?? '';
  // With a position come words of the parser's own; without one they quote the text around it.
  const [, why, position] = /^(.+?),? (?:in|after) JSON at position (\d+)/.exec(words) ?? [];
  const at = position === undefined ? tokenAt(text) : Number(position);
  if (at >= text.trimEnd().length) return 'is cut off: its end is missing';
  const before = text.slice(0, at).split('\n');
  const hint = HINTS.find(([pattern]) => pattern.test(text.slice(at)))?.[1] ?? why ?? 'a value is missing';
  return `is not valid JSON at line ${before.length}, column ${(before.at(-1) ?? '').length + 1}: ${hint}`;
}

function refusal(text: string): string | undefined {
  try {
    JSON.parse(text);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** The parser does not say where an unexpected token is: a beginning of the text is refused for it if it holds it. */
function tokenAt(text: string): number {
  let [without, within] = [0, text.length + 1];
  while (within - without > 1) {
    const middle = (without + within) >> 1;
    if (refusal(text.slice(0, middle))?.startsWith('Unexpected token') === true) within = middle;
    else without = middle;
  }
  return within - 1;
}
