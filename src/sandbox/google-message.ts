import { isRecord } from '../lib/is-record.ts';
import type { FieldViolation, GoogleRefusal } from './google-error.ts';

/** A message that Google would send on. */
export interface GoogleMessage {
  readonly kind: 'message';
  readonly token: string;
  readonly data: Readonly<Record<string, string>>;
}

/** https://firebase.google.com/docs/reference/fcm/rest/v1/projects.messages, in proto and in JSON spelling. */
const MESSAGE_FIELDS = fields(
  'name data notification android webpush apns fcm_options token topic condition fid',
);
const ANDROID_FIELDS = fields(
  'collapse_key priority ttl restricted_package_name data notification fcm_options direct_boot_ok',
  'bandwidth_constrained_ok restricted_satellite_ok',
);
const REQUEST_FIELDS = fields('message validate_only');
const RESERVED_KEY = /^(from$|message_type$|gcm|google)/;
const DATA_BYTES = 4096;
const TTL = /^\d{1,7}(\.\d{1,9})?s$/;
const MAX_TTL_S = 2_419_200;

function fields(...lists: readonly string[]): ReadonlySet<string> {
  const names = lists.flatMap((list) => list.split(' '));
  return new Set(
    names.flatMap((name) => [name, name.replace(/_(\w)/g, (_match, letter: string) => letter.toUpperCase())]),
  );
}

function violate(field: string, description: string): FieldViolation {
  return { field, description };
}

function unknownField(
  value: Readonly<Record<string, unknown>>,
  known: ReadonlySet<string>,
  at: string,
): FieldViolation | undefined {
  const name = Object.keys(value).find((key) => !known.has(key));
  return name === undefined
    ? undefined
    : violate(at, `Invalid JSON payload received. Unknown name "${name}" at '${at}': Cannot find field.`);
}

function checkData(data: unknown): FieldViolation | undefined {
  if (data === undefined) return undefined;
  if (!isRecord(data)) return violate('message.data', 'Invalid value at message.data (type map).');
  let bytes = 0;
  for (const [key, value] of Object.entries(data)) {
    if (typeof value !== 'string')
      return violate('message.data', 'Invalid value (TYPE_STRING) in message.data.');
    if (RESERVED_KEY.test(key)) return violate('message.data', `Invalid data payload key: ${key}`);
    bytes += Buffer.byteLength(key) + Buffer.byteLength(value);
  }
  return bytes > DATA_BYTES ? violate('message', 'Android message is too big') : undefined;
}

function checkTtl(ttl: unknown): boolean {
  return (
    ttl === undefined || (typeof ttl === 'string' && TTL.test(ttl) && Number.parseFloat(ttl) <= MAX_TTL_S)
  );
}

function checkAndroid(android: unknown): FieldViolation | undefined {
  if (android === undefined) return undefined;
  if (!isRecord(android)) return violate('message.android', 'Invalid value at message.android.');
  const { priority, ttl } = android;
  if (priority !== undefined && priority !== 'HIGH' && priority !== 'NORMAL') {
    return violate('message.android.priority', 'Invalid value at message.android.priority (TYPE_ENUM).');
  }
  if (!checkTtl(ttl)) {
    return violate(
      'message.android.ttl',
      'Invalid duration format at message.android.ttl: must be like "3.5s".',
    );
  }
  return unknownField(android, ANDROID_FIELDS, 'message.android') ?? checkData(android['data']);
}

function checkTarget(message: Readonly<Record<string, unknown>>): FieldViolation | undefined {
  const targets = ['token', 'topic', 'condition', 'fid'].filter((name) => message[name] !== undefined);
  return targets.length === 1 && targets[0] === 'token' && typeof message['token'] === 'string'
    ? undefined
    : violate('message.token', 'Exactly one target is needed, and this stand-in knows only message.token.');
}

function strings(data: unknown): Record<string, string> {
  const result: Record<string, string> = {};
  for (const [key, value] of Object.entries(isRecord(data) ? data : {})) {
    if (typeof value === 'string') result[key] = value;
  }
  return result;
}

function invalid(violation: FieldViolation): GoogleRefusal {
  return {
    kind: 'refused',
    status: 400,
    message: violation.description,
    violation,
  };
}

/** Checks the body of messages:send as strictly as Google does. */
export function checkGoogleMessage(body: unknown): GoogleMessage | GoogleRefusal {
  if (!isRecord(body)) return invalid(violate('', 'Invalid JSON payload received.'));
  const { message } = body;
  if (!isRecord(message)) return invalid(violate('message', 'Request must have a message.'));
  const violation =
    unknownField(body, REQUEST_FIELDS, 'request') ??
    unknownField(message, MESSAGE_FIELDS, 'message') ??
    checkTarget(message) ??
    checkData(message['data']) ??
    checkAndroid(message['android']);
  if (violation !== undefined) return invalid(violation);
  const token = String(message['token']);
  if (token === '' || /\s/.test(token)) {
    const text = 'The registration token is not a valid FCM registration token';
    return { kind: 'refused', status: 400, message: text, errorCode: 'INVALID_ARGUMENT' };
  }
  return { kind: 'message', token, data: strings(message['data']) };
}
