import type { IncomingHttpHeaders } from 'node:http2';
import { type AppleReason, type AppleRefusal, refuse } from './apple-refusal.ts';

/** What the headers of a push say, once they are in order. */
export interface AppleHeaders {
  readonly kind: 'headers';
  readonly topic: string;
  readonly pushType: string;
}

/** https://developer.apple.com/documentation/usernotifications/sending-notification-requests-to-apns */
const TOPIC_SUFFIX: Readonly<Record<string, string>> = {
  alert: '',
  background: '',
  controls: '',
  mdm: '',
  location: '.location-query',
  voip: '.voip',
  complication: '.complication',
  fileprovider: '.pushkit.fileprovider',
  liveactivity: '.push-type.liveactivity',
  pushtotalk: '.voip-ptt',
  widgets: '.push-type.widgets',
};
const SUFFIXES = Object.values(TOPIC_SUFFIX).filter((suffix) => suffix !== '');
const SINGLE = /^(apns-|authorization$)/;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const COLLAPSE_ID_BYTES = 64;

function hasDuplicates(rawHeaders: readonly string[]): boolean {
  const names = rawHeaders.filter((name, index) => index % 2 === 0 && SINGLE.test(name));
  return new Set(names).size < names.length;
}

/** The path and method; undefined: in order. `token` is what stands where the device token belongs. */
export function checkAppleRoute(method: string | undefined, path: string): AppleReason | undefined {
  if (method !== 'POST') return 'MethodNotAllowed';
  if (!path.startsWith('/3/device')) return 'BadPath';
  const rest = path.slice('/3/device'.length);
  if (rest === '' || rest === '/') return 'MissingDeviceToken';
  if (!rest.startsWith('/') || rest.includes('/', 1)) return 'BadPath';
  return /^\/([0-9a-f]{2}){32,100}$/i.test(rest) ? undefined : 'BadDeviceToken';
}

function checkPriority(pushType: string, priority: string | undefined): boolean {
  return (
    priority === undefined || (pushType === 'background' ? priority === '5' : /^(1|5|10)$/.test(priority))
  );
}

function text(header: string | string[] | undefined): string | undefined {
  return typeof header === 'string' ? header : undefined;
}

/** Whether a topic is one for this kind of push: a VoIP push goes to `….voip`, an alert to the bare bundle id. */
function fits(topic: string, pushType: string): boolean {
  const suffix = TOPIC_SUFFIX[pushType] ?? '';
  return suffix === '' ? !SUFFIXES.some((other) => topic.endsWith(other)) : topic.endsWith(suffix);
}

/** Checks what Apple checks of the `apns-…` headers, in a fixed order. */
export function checkAppleHeaders(
  headers: IncomingHttpHeaders,
  rawHeaders: readonly string[],
): AppleHeaders | AppleRefusal {
  if (hasDuplicates(rawHeaders)) return refuse('DuplicateHeaders');
  const topic = text(headers['apns-topic']);
  const pushType = text(headers['apns-push-type']) ?? '';
  if (topic === undefined || topic === '') return refuse('MissingTopic');
  if (!/^[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+$/.test(topic)) return refuse('BadTopic');
  if (!Object.hasOwn(TOPIC_SUFFIX, pushType) || !fits(topic, pushType)) return refuse('InvalidPushType');
  if (!checkPriority(pushType, text(headers['apns-priority']))) return refuse('BadPriority');
  if (!/^\d{1,15}$/.test(text(headers['apns-expiration']) ?? '0')) return refuse('BadExpirationDate');
  const id = text(headers['apns-id']);
  if (id !== undefined && !UUID.test(id)) return refuse('BadMessageId');
  const collapseId = text(headers['apns-collapse-id']) ?? '';
  if (Buffer.byteLength(collapseId) > COLLAPSE_ID_BYTES) return refuse('BadCollapseId');
  return { kind: 'headers', topic, pushType };
}
