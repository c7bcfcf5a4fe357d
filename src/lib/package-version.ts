import { readFileSync } from 'node:fs';

/** The version of this package, from the package.json two folders up: true in `src` and in `dist`. */
export function packageVersion(): string {
  const content: unknown = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  const known = typeof content === 'object' && content !== null && 'version' in content;
  return known ? String(content.version) : 'unknown';
}
