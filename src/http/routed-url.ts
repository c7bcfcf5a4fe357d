/** A path that no route has. */
const NOWHERE = '/';

/** What the targets of nearly all requests have none of; each call pays for this look. */
const UNUSUAL = /\/\/|\/\.|[%\\]|^[^/]/;
/** A segment that begins with a dot, or a slash that is no slash to everybody; escaped any number of times, too. */
const TRICK = /(?:^|\/)(?:\.|%(?:25)*2e)|%(?:25)*(?:2f|5c)|\\/i;
/** RFC 9112, 3.2.2: the form that clients send to proxies, which every server has to take. */
const ABSOLUTE = /^https?:\/\/[^/?#]*/i;

/**
 * The target of a request as it is routed. Slashes that follow one another are one: a base URL that ends in a slash is
 * the most common slip there is. A path with dot segments (`..`, `%2e%2e`, `..;`), escaped slashes or backslashes leads
 * nowhere: a proxy in front resolves them to another path than the one that we would match by its beginning, so that its
 * rules for `/api/incoming-call/` could be passed by. The query stays as it is.
 */
export function routedUrl(url: string): string {
  return UNUSUAL.test(url) ? normalized(url) : url;
}

function normalized(url: string): string {
  const target = url.startsWith('/') ? url : url.replace(ABSOLUTE, '');
  const question = target.indexOf('?');
  const end = question === -1 ? target.length : question;
  const path = target.slice(0, end);
  if (TRICK.test(path) || !path.startsWith('/')) return NOWHERE;
  return path.replace(/\/{2,}/g, '/') + target.slice(end);
}
