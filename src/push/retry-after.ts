/** Longest wait that is taken from a `Retry-After`, milliseconds: more than an hour is as good as never. */
const LONGEST_MS = 3_600_000;

/**
 * Reads a `Retry-After` header (RFC 9110 section 10.2.3: whole seconds or an HTTP date) as milliseconds from
 * `wallNow` (ms since the epoch), 0 to one hour; undefined when absent or unreadable.
 */
export function readRetryAfter(value: string | undefined, wallNow: number): number | undefined {
  if (value === undefined) return undefined;
  const text = value.trim();
  if (/^\d{1,10}$/.test(text)) return Math.min(Number(text) * 1000, LONGEST_MS);
  if (!/^[A-Za-z]{3,9},? .{8,30} ?(GMT|\d{4})$/.test(text)) return undefined;
  const at = Date.parse(text);
  return Number.isNaN(at) ? undefined : Math.min(Math.max(0, at - wallNow), LONGEST_MS);
}
