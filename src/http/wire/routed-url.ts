import { ALL_ENDPOINTS } from './paths.ts';

/** A path that no route has. */
const NOWHERE = '/';

/** The targets of nearly all requests; each call pays for this look. */
const USUAL: ReadonlySet<string> = new Set(ALL_ENDPOINTS.map(({ path }) => path));
/** What those of most others have none of. */
const UNUSUAL = /\/\/|\/\.|[%\\]|^[^/]/;
/**
 * A segment that begins with a dot, a backslash, or an escape (of any number of escapes) of a character that needs none
 * (RFC 3986, 2.3: letters, digits, `-._~`), of a slash or of a backslash.
 */
const TRICK = /\/\.|\\|%(?:25)*(?:2[d-f]|3\d|[46][1-9a-f]|[57][\da]|5[cf]|7e)/i;
/** RFC 9112, 3.2.2: the form that clients send to proxies, which every server has to take. */
const ABSOLUTE = /^https?:\/\/[^/?#]*/i;

/**
 * The target of a request as it is routed. Slashes that follow one another are one: a base URL that ends in a slash is
 * the most common slip there is. A path that a proxy in front may take for another one than we would leads nowhere (dot
 * segments such as `..`, `%2e%2e` and `..;`, escaped slashes and letters, backslashes): its rules for
 * `/api/incoming-call/` could be bypassed otherwise. The query stays as it is.
 */
export function routedUrl(url: string): string {
  return !USUAL.has(url) && UNUSUAL.test(url) ? normalized(url) : url;
}

function normalized(url: string): string {
  const target = url.startsWith('/') ? url : url.replace(ABSOLUTE, '');
  const question = target.indexOf('?');
  const end = question === -1 ? target.length : question;
  const path = target.slice(0, end);
  if (TRICK.test(path) || !path.startsWith('/')) return NOWHERE;
  return path.replace(/\/{2,}/g, '/') + target.slice(end);
}
