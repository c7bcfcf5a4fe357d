import { createHash } from 'node:crypto';
import { hideSecrets } from './hide-secrets.ts';

/** What a log line may hold. */
export type LogValue = string | number | boolean | null | undefined;

/** The fields of one log line. */
export type LogFields = Readonly<Record<string, LogValue>>;

/**
 * Written as they are: names that we, the operator or Apple gave, needed to find a call, a push or a key again. Some of
 * them look like a phone number: half of all UUIDs have so many digits in a row.
 */
const CLEAR = new Set([
  'account',
  'app',
  'call',
  'callId',
  'certificate',
  'clientVersion',
  'database',
  'expires',
  'keyId',
  'origin',
  'redis',
  'teamId',
  'tlsProblem',
]);

/** Words of closed sets and ids of our own making. In the lines that each call writes, to look through them costs most. */
const OURS = new Set(['fate', 'found', 'outcome', 'platform', 'push']);

/**
 * The one place where log fields lose what must not be read by whoever reads logs: push tokens become a short hash
 * (the same token, the same hash), numbers keep their last two digits, names their length. Any other text is searched
 * for the shapes of credentials, tokens and phone numbers, since error texts quote what they were given.
 */
export function redact(fields: LogFields): Record<string, LogValue> {
  const line: Record<string, LogValue> = {};
  for (const key in fields) {
    const value = fields[key];
    if (value !== undefined) line[key] = redactField(key, value);
  }
  return line;
}

/**
 * Characters that JSON leaves as they are and that a terminal takes for a command (DEL, C1 controls), that some readers take
 * for the end of a line (U+0085, U+2028, U+2029), or that turn the direction of what follows.
 */
const STEERING = /[\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g;

function redactField(key: string, value: LogValue): LogValue {
  if (OURS.has(key)) return value;
  return typeof value === 'string' ? redactText(key, value).replace(STEERING, '\ufffd') : value;
}

function redactText(key: string, value: string): string {
  if (CLEAR.has(key)) return value;
  switch (key) {
    case 'token':
    case 'remoteNotificationToken':
      return hashOf(value);
    case 'phoneNumber':
      return `…${value.slice(-2)}`;
    case 'callerId':
    case 'name':
      return `(${value.length} characters)`;
    case 'authorization':
      return '(hidden)';
    default:
      return scrub(value);
  }
}

/** A short name for a push token that does not give it away: the same token, the same name. */
export function hashOf(token: string): string {
  return `sha256:${createHash('sha256').update(token).digest('hex').slice(0, 12)}`;
}

/** Characters of a text that are looked at, and that are shown unless told. */
const MOST_READ = 4_000;
const MOST_SHOWN = 1_000;

/** What most fields hold: a word of ours or of a push service, in which nothing is to be looked for. */
const WORD = /^[A-Za-z-]{1,30}$/;

/** Text without what looks like a credential, a push token or a phone number; `most` characters at most. */
export function scrub(text: string, most: number = MOST_SHOWN): string {
  if (WORD.test(text)) return text;
  return hideSecrets(beginning(text)).slice(0, most).replace(STEERING, '\ufffd');
}

/** Ends between two words: half a secret has not its shape any more. */
function beginning(text: string): string {
  return text.length <= MOST_READ ? text : text.slice(0, MOST_READ).replace(/\S*$/, '');
}
