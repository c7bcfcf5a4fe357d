/** Swift's `as? String`: nothing but a JSON string. */
export function asString(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

/** Swift's `as! String`. */
export function forceString(value: unknown): string {
  if (typeof value !== 'string') throw new Error('Fatal error: could not cast the value to String');
  return value;
}

/** The apps' `uuidFixer`: a UUID as it is, or 32 characters that become one; undefined for anything else. */
export function uuidFixer(text: string): string | undefined {
  const uuid = /^[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}$/i;
  if (uuid.test(text)) return text.toUpperCase();
  const fixed = [...text].map((letter, at) => letter + ([7, 11, 15, 19].includes(at) ? '-' : '')).join('');
  return uuid.test(fixed) ? fixed.toUpperCase() : undefined;
}
