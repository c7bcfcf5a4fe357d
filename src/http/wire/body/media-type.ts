/** The parser that a Content-Type header asks for; `none` where we have no parser for it. */
export type BodyFormat = 'json' | 'form' | 'multipart' | 'none';

/**
 * The body format of a Content-Type header: letter case and parameters do not count, and the wildcards that the
 * reference's media type matching lets through mean its first parser, JSON.
 */
export function bodyFormat(contentType: string): BodyFormat {
  switch (contentType) {
    case 'application/x-www-form-urlencoded':
      return 'form';
    case 'application/json':
      return 'json';
    default:
      return formatOf(mediaType(contentType));
  }
}

/** Type and subtype in lower case, without parameters. */
function mediaType(contentType: string): string {
  const end = contentType.indexOf(';');
  return (end === -1 ? contentType : contentType.slice(0, end)).trim().toLowerCase();
}

function formatOf(type: string): BodyFormat {
  switch (type) {
    case 'application/json':
    case 'application/*':
    case '*/*':
      return 'json';
    case 'application/x-www-form-urlencoded':
      return 'form';
    case 'multipart/form-data':
      return 'multipart';
    default:
      return 'none';
  }
}
