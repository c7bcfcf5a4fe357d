/**
 * How the libraries of the apps write bodies. The same text is written differently by each, and the service must read
 * all of them.
 */
type Fields = Readonly<Record<string, string | undefined>>;

function percent(character: string): string {
  return [...Buffer.from(character)]
    .map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`)
    .join('');
}

function encodeWith(text: string, kept: RegExp): string {
  return [...text].map((character) => (kept.test(character) ? character : percent(character))).join('');
}

function form(entries: readonly (readonly [string, string])[], kept: RegExp): string {
  return entries.map(([name, value]) => `${encodeWith(name, kept)}=${encodeWith(value, kept)}`).join('&');
}

function present(fields: Fields): [string, string][] {
  return Object.entries(fields).flatMap(([name, value]): [string, string][] =>
    value === undefined ? [] : [[name, value]],
  );
}

/** OkHttp's `FormBody`, which Retrofit 2 uses: a space is %20, and nearly everything else is escaped. */
export function okHttpForm(fields: Fields): string {
  return form(present(fields), /[A-Za-z0-9*\-._]/);
}

/** Java's `URLEncoder`, which Retrofit 1 uses: a space is `+`. */
export function javaForm(fields: Fields): string {
  return form(present(fields), /[A-Za-z0-9*\-._ ]/).replaceAll(' ', '+');
}

/** Alamofire's `URLEncoding` and `URLEncodedFormParameterEncoder`: keys in alphabetical order, `/` and `?` as they are. */
export function alamofireForm(fields: Fields): string {
  return form(
    present(fields).sort(([one], [other]) => (one < other ? -1 : 1)),
    /[A-Za-z0-9\-._~/?]/,
  );
}

/** Apple's `JSONSerialization`, and `org.json` of Android: a slash is escaped, nothing beyond ASCII is. */
export function slashEscapedJson(fields: object): string {
  return JSON.stringify(fields).replaceAll('/', '\\/');
}

/** Gson, as Retrofit's converter uses it: safe inside HTML, and nulls are written. */
export function gsonJson(fields: Readonly<Record<string, string | null>>): string {
  return JSON.stringify(fields).replace(
    /[<>&='\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** How Apple's `JSONSerialization` writes a double up to iOS 10: 17 digits (`1700000000.1229999`). */
export function seventeenDigits(value: number): string {
  return value.toPrecision(17).replace(/\.?0+$/, '');
}
