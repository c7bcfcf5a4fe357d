/** What stands for a value that is hidden. */
const HIDDEN = '(hidden)';

/** A quotation mark: as it is, in JSON within JSON, in a URL. */
const QUOTE = String.raw`(?:\\*["']|%22)`;
/** A blank: as it is, in a URL, in JSON. */
const BLANK = String.raw`(?:\s|%20|%0[9AD]|\\+[rnt])`;
/** Where a word begins; a blank may be written with letters or digits. */
const START = String.raw`(?:\b|(?<=%20|%0[9AD]|\\[rnt]))`;
/** No word that is said about a credential or a command comes next. */
const NO_WORD = String.raw`(?!<|(?:tokens?|auth\w*|credentials?|scheme|realm|headers?|challenge|commands?|requests?|repl(?:y|ies)|errors?|is|was|are|were|has|not|and|or|but|without|with|in|of|for|from|to|by|on|at|must|can|cannot|required|missing|expected|invalid|expired|called|failed|refused|rejected|sent)[.,;:)"']*(?:\s|$))`;

/**
 * Credentials and push tokens by their shape, most specific first: a rule sees what the ones before it left. Long values as
 * such are no secret: paths, OpenSSL's messages and ids of requests are what an operator reads a line for.
 */
const SHAPES: readonly (readonly [RegExp, string])[] = [
  [/-----BEGIN [\s\S]*?(?:-----END [A-Z0-9 ]+-----|$)/g, '(PEM hidden)'],
  // The key of a PEM whose lines were taken apart or whose head was cut off (PKCS#8, PKCS#1, SEC1, X.509).
  [
    /(?:MII[A-P]|MI[GH][A-Za-z]Ag|MHcCAQ|MHQCAQ|MC4CAQ)[A-Za-z0-9+/]{30,}={0,2}(?:(?:\\r|\\n|\s)+[A-Za-z0-9+/=]{16,})*/g,
    '(PEM hidden)',
  ],
  // `user:password@` of a URL, where either may hold any character but a blank; `host:8080/@scope` has none.
  [/:\/\/[^\s/@:"'<>[\]]{0,200}:(?!\d{1,5}(?:[/?#"',;)\s]|$))[^\s"'<>]{0,500}@/g, `://${HIDDEN}@`],
  [/:\/\/[^\s/@"'<>]{1,500}@/g, `://${HIDDEN}@`],
  // The same where the password holds quotation marks or blanks, of the databases that we are given addresses of.
  [
    /\b((?:postgres(?:ql)?|mysql|mariadb|rediss?(?:\+sentinel)?):\/\/)[^\s/@:"'<>[\]]{0,200}:(?!\d{1,5}(?:[/?#"',;)\s]|$))[^\r\n@]{1,100}@(?=[\w[])/gi,
    `$1${HIDDEN}@`,
  ],
  [/\b(sips?(?::|%3A))[^\s@<>"']{1,200}(?:@|%40)/gi, '$1(user hidden)@'],
  [/\b((?:set-)?cookie["']?\s*[:=]\s*["']?)[^\r\n"']+/gi, `$1${HIDDEN}`],
  // Redis's command in a line of text, on the wire, and as ioredis prints it.
  [
    new RegExp(
      String.raw`${START}(AUTH${BLANK}+(?:\$\d+${BLANK}+)?(?:default${BLANK}+)?(?:\$\d+${BLANK}+)?)${NO_WORD}\S+(?:\s+(?:\$\d+\s+)?${NO_WORD}\S+)?`,
      'g',
    ),
    `$1${HIDDEN}`,
  ],
  [
    new RegExp(
      String.raw`(${QUOTE}auth${QUOTE}${BLANK}*,${BLANK}*(?:${QUOTE}?args${QUOTE}?:${BLANK}*)?(?:\[|%5B)?${BLANK}*)(?:${QUOTE}[^"'\n]{0,500}?${QUOTE}(?:${BLANK}*,${BLANK}*)?)+`,
      'gi',
    ),
    `$1${HIDDEN}`,
  ],
  [
    /\b(PASSWORD\s*\(\s*(?=["'])|IDENTIFIED\s+(?:WITH\s+\S+\s+)?(?:BY|AS)\s+(?:PASSWORD\s+)?)(?:'[^']*'?|"[^"]*"?|\S+)/gi,
    `$1${HIDDEN}`,
  ],
  [
    /\b((?:proxy-)?authorization["']?\s*[:=]\s*["']?)(?:(Basic|Bearer|Token|Digest)\s+)?[^\r\n"',}]+/gi,
    `$1${HIDDEN}`,
  ],
  // A scheme and its credential; a short word in small letters after it is English ("basic authentication").
  [
    /\b([Bb]asic|[Bb]earer|BASIC|BEARER|Token)(?:\s+|%20|\+)(?![a-z]{1,14}[.,;:)"']*(?:\s|$)|[a-z_]+="|\()[^\s,;"'<>)\]}]{6,}/g,
    `$1 ${HIDDEN}`,
  ],
  [/\b(token)(?:\s+|%20|\+)(?!https?:)(?=\S*[\d:@=_])[^\s,;"'<>)\]}]{8,}/g, `$1 ${HIDDEN}`],
  // Whatever follows this scheme, but for words that are said about it.
  [
    new RegExp(String.raw`${START}(bearer)${BLANK}+(?!\(|[a-z_]+=")${NO_WORD}[^\s,;"'<>)\]}]+`, 'gi'),
    `$1 ${HIDDEN}`,
  ],
  // In prose: no word of English holds a digit, and a quoted one is a value.
  [
    new RegExp(
      String.raw`${START}((?:password|passwd|passphrase|pass|pwd|secret|token)${BLANK}+(?:(?:is|was)${BLANK}+)?)(?!https?:|/)(?=[^\s\d]*\d)(?=\S*[A-Za-z])[^\s,;"'<>()[\]{}]{6,}`,
      'gi',
    ),
    `$1${HIDDEN}`,
  ],
  [
    new RegExp(
      String.raw`${START}((?:password|passwd|passphrase|pwd|secret)${BLANK}+(?:(?:is|was)${BLANK}+)?)${QUOTE}[^"'\n]{1,500}?${QUOTE}`,
      'gi',
    ),
    `$1${HIDDEN}`,
  ],
  // A JWT, also one that was cut off.
  [/eyJ[\w-]{8,}(?:\.[\w-]*){0,2}/g, '(JWT hidden)'],
  [/\bya29\.[\w.-]{10,}|\b1\/\/0[\w-]{20,}|\bAIza[\w-]{30,}|\bAAAA[\w-]{7}:[\w-]{60,}/g, HIDDEN],
  [/(?:(?<![\w-])[\w-]+(?::|%3A))?APA91b[\w-]{4,}/gi, '(token hidden)'],
  // `did:suffix`, the instance's 22 characters before Google's own part.
  [/(?<![\w-])[\w-]{22}(?::|%3A)[\w-]{60,}/gi, '(token hidden)'],
  // Apple's push tokens in hex, also as NSData prints them.
  [/[0-9a-f]{64,}/gi, '(token hidden)'],
  [/<?(?:[0-9a-f]{8} ){7,}[0-9a-f]{8}>?/gi, '(token hidden)'],
  [/(\/3\/device\/)(?:\(\w+ hidden\)|[^\s/?#"'])+/g, '$1(token hidden)'],
];

const VALUE = String.raw`("(?:[^"\\]|\\.)*"?|'(?:[^'\\]|\\.)*'?|(?:\\+["']|%22)?(?:\((?:\w+ )?hidden\)|[^\s"'\\,;&)}\]%])+)`;
/** Names whose value is a secret, as they stand in JSON, objects that were printed, URL queries and forms. */
const NAMED = new RegExp(
  String.raw`((?<![\w-])[\w-]*(?:password|passwd|passphrase|secret|private_?key|api[_-]?key|auth[_-]?token|credentials_?key|access_?token|refresh_?token|id_?token|notification_?token|push_?token|device_?token|(?:pbx|vg|platform|bearer)_token)|(?:\b|_)pwd?|\bpass|\bassertion)` +
    String.raw`(${QUOTE}?\s*(?:=|%3D)\s*|${QUOTE}\s*(?::|%3A)(?:\s|%20)*|:(?:\s|%20)+(?!(?:an?|at|can|cannot|given?|is|it|may|missing|must|no|not|one|only|should|that|the|this|too|use|wrong) [a-z]))${VALUE}`,
  'gi',
);
/** The name alone is also a word of English and of parsers: "Unexpected token: x". */
const NAMED_TOKEN = new RegExp(
  String.raw`(?<![A-Za-z])(token)(${QUOTE}?(?:=|%3D)|${QUOTE}\s*(?::|%3A)(?:\s|%20)*|:(?:\s|%20)+(?=["']|%22))${VALUE}`,
  'gi',
);
/** What drivers say after such a name that is no secret: `(using password: YES)`. */
const NO_SECRET = /^(?:YES|NO|true|false|null|undefined|none|\(hidden\)|\(\w+ hidden\))$/i;

/** Text without credentials, push tokens and phone numbers; everything else stays as it is. */
export function hideSecrets(text: string): string {
  let clean = text;
  for (const [shape, instead] of SHAPES) clean = clean.replace(shape, instead);
  const hideNamed = (whole: string, name: string, between: string, value: string): string =>
    NO_SECRET.test(value) ? whole : `${name}${between}${HIDDEN}`;
  clean = clean.replace(NAMED, hideNamed).replace(NAMED_TOKEN, hideNamed);
  return hideNumbers(clean.replace(RUN, (run) => (isOpaque(run) ? '(long value hidden)' : run)));
}

/** What base64 is made of. */
const RUN = /[A-Za-z0-9+/_=-]{40,}/g;

/**
 * Whether a run is random: small letters, capitals and digits in a disorder that no path, name or word has. In base64 every
 * second character is of another kind than the one before it, in a path one of ten.
 */
function isOpaque(run: string): boolean {
  return [run, ...run.split(/[/=]/)].some((part) => {
    if (part.length < 40 || !/[a-z]/.test(part) || !/[A-Z]/.test(part)) return false;
    const changes = part.match(/[a-z](?=[A-Z0-9])|[A-Z](?=[a-z0-9])|[0-9](?=[A-Za-z])/g)?.length ?? 0;
    return changes > part.length * (/[0-9]/.test(part) ? 0.25 : 0.3);
  });
}

/**
 * Texts with digits that are no phone number, looked for first. Each is read as a whole, so that no part of it is taken for
 * one: escapes, ids, times, addresses, versions, sizes, limits of ours, words that hold letters.
 */
const READABLE = [
  String.raw`(?:\\|%5C)+(?:u[0-9A-F]{4}|[nrtbf])?`,
  '%(?!2B)[0-9A-F]{2}',
  '[0-9A-F]{8}(?:-[0-9A-F]{4}){3}-[0-9A-F]{12}',
  'error:[0-9A-F]{8}',
  String.raw`\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?`,
  '(?:sha256|sha1):[0-9A-F]+',
  String.raw`(?:\d{1,3}\.){3}\d{1,3}(?::\d{1,5})?(?![\d.])`,
  'from 100000000 to 999999999',
  String.raw`(?:pid|position|offset|errno|size|length|limit|maximum|minimum|timestamp|oid)[ =:]{1,2}[1-9]\d*`,
  String.raw`(?:max_allowed_packet|inode|heap|rss)[ =:]{1,2}[1-9]\d*`,
  String.raw`(?:epoch|exp|iat|nbf|mtime|expires_at)["']?[ =:]{1,2}1[5-9]\d{8}(?:\d{3})?(?!\d)`,
  // Milliseconds since 1970, of 2023 to 2030: no number of E.164 that begins with 1 has 13 digits.
  String.raw`(?<![\w.+-])1[78]\d{11}(?!\d)`,
  String.raw`projects/[1-9]\d{5,14}(?=/)`,
  // Powers of two, but for those that could be an account.
  String.raw`(?<!\d)(?:8388608|16777216|33554432|67108864|1073741824|2147483648|4294967296)(?!\d)`,
  String.raw`[1-9]\d{0,14} ?(?:ms|s|seconds|milliseconds|bytes|[KMG]i?B|B)(?!\w)`,
  String.raw`[1-9]\d{0,7} (?:calls|connections|files|pushes|characters|lines|requests)(?!\w)`,
  String.raw`(?<![\w])\d{1,4}(?:\.\d{1,4}){2,}(?:-[\w.]+)?(?![\d])`,
  String.raw`\d{1,6}\.\d+(?![\d.])`,
  String.raw`\b(?=\w*[A-F])[0-9A-F]{16,}\b`,
  String.raw`(?=[0-9A-Z]*[A-Z])(?![0-9A-Z]*\d{9})[0-9A-Z]+`,
  // A folder of a day or a second: `releases/20261130085902/`.
  String.raw`(?<=[/_-])20\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?:\d{6})?(?=[/._-])`,
  String.raw`[1-9]\d{15,}`,
].join('|');

/**
 * Phone numbers and SIP accounts: international (`+`, `00`), national (`0`), written with blanks and the like, or plain digits,
 * 7 to 15 of them (ITU-T E.164).
 */
const NUMBER = [
  String.raw`(?:\+|%2B|\(?\+?0)(?:[ ()./_-]{0,3}\d){6,}`,
  String.raw`\+?\(?\d{3}\)?[ .-]\d{3}[ .-]\d{4}(?!\d)`,
  String.raw`1[ -]\d{3}[ -]\d{3}[ -]\d{4}(?!\d)`,
  String.raw`\d{7,15}(?!\d)`,
].join('|');

const WORDS_AND_NUMBERS = new RegExp(
  String.raw`(0\d(?:\.\d\d){4}|(?<![\d.])0\d{2,3}(?:\.\d{2,3}){2,3}(?![\d.]))|(${READABLE})|(${NUMBER})`,
  'gi',
);

function hideNumbers(text: string): string {
  return text.replace(WORDS_AND_NUMBERS, (whole, _pairs: unknown, readable: string | undefined) =>
    readable === undefined ? '(number hidden)' : whole,
  );
}
