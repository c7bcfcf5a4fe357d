import type { IncomingHttpHeaders } from 'node:http2';
import type { Readable } from 'node:stream';
import { isRecord } from '../lib/is-record.ts';
import type { AppleConnection } from './apple-connection.ts';
import type { AppleDevices } from './apple-devices.ts';
import { type AppleHeaders, checkAppleHeaders, checkAppleRoute } from './apple-headers.ts';
import type { AppleGrant, AppleKeys } from './apple-keys.ts';
import { type AppleRefusal, refuse } from './apple-refusal.ts';
import { parseJson } from './parse-json.ts';
import { type Body, readBody } from './read-body.ts';

/** A request for Apple's stand-in. */
export interface AppleQuestion {
  readonly body: Readable;
  readonly headers: IncomingHttpHeaders;
  readonly rawHeaders: readonly string[];
  readonly token: string;
  readonly connection: AppleConnection;
}

/** What Apple makes of it. */
export type AppleAnswer =
  | AppleRefusal
  | { readonly kind: 'accepted'; readonly payload: Readonly<Record<string, unknown>> };

const VOIP_SUFFIXES = ['', '.voip', '.complication', '.pushkit.fileprovider', '.voip-ptt'];

function covers(bundleId: string, topic: string): boolean {
  return VOIP_SUFFIXES.some((suffix) => topic === `${bundleId}${suffix}`);
}

function byCertificate(connection: AppleConnection): AppleGrant | AppleRefusal {
  switch (connection.certificate.kind) {
    case 'none':
      return refuse('MissingProviderToken');
    case 'invalid':
      return refuse('BadCertificate');
    case 'valid':
      return { kind: 'granted', keyId: '', topics: [connection.certificate.bundleId] };
    default:
      return connection.certificate satisfies never;
  }
}

/** Makes the one who decides on requests, with the registered keys and phones. */
export function createAppleJudge(known: { readonly keys: AppleKeys; readonly devices: AppleDevices }) {
  const authorize = async (question: AppleQuestion): Promise<AppleGrant | AppleRefusal> => {
    const { authorization } = question.headers;
    if (authorization === undefined) return byCertificate(question.connection);
    const grant = await known.keys.check(authorization);
    if (grant.kind === 'refused') return grant;
    const { connection } = question;
    connection.keyId ??= grant.keyId;
    return connection.keyId === grant.keyId ? grant : refuse('UnrelatedKeyIdInToken');
  };

  const checkTarget = (question: AppleQuestion, grant: AppleGrant, { topic }: AppleHeaders) => {
    const { topics } = grant;
    if (topics !== undefined && !topics.some((bundleId) => covers(bundleId, topic))) {
      return refuse('TopicDisallowed');
    }
    return known.devices.check(question.token, topic);
  };

  /** Goes through Apple's checks in a fixed order and stops at the first that fails. Never rejects. */
  return async (question: AppleQuestion): Promise<AppleAnswer> => {
    const { headers, rawHeaders } = question;
    const misrouted = checkAppleRoute(headers[':method'], headers[':path'] ?? '');
    if (misrouted !== undefined) return refuse(misrouted);
    const [grant, body] = await Promise.all([
      authorize(question),
      readBody(question.body, applePayloadLimit(String(headers['apns-push-type']))),
    ]);
    if (grant.kind === 'refused') return grant;
    question.connection.authorized = true;
    const checked = checkAppleHeaders(headers, rawHeaders);
    if (checked.kind === 'refused') return checked;
    const refused = checkTarget(question, grant, checked);
    if (refused !== undefined) return refused;
    const content = checkApplePayload(body);
    return content.kind === 'refused' ? content : { kind: 'accepted', payload: content.payload };
  };
}

/** Bytes: 5120 for VoIP, 4096 for everything else (Apple, "Generating a remote notification"). */
function applePayloadLimit(pushType: string): number {
  return pushType === 'voip' ? 5120 : 4096;
}

/** The payload of a push: JSON, an object, with an `aps` dictionary in it. */
function checkApplePayload(
  body: Body,
): { readonly kind: 'payload'; readonly payload: Readonly<Record<string, unknown>> } | AppleRefusal {
  if (body.kind === 'too-large') return refuse('PayloadTooLarge');
  if (body.kind === 'cut') return refuse('PayloadEmpty');
  const payload = parseJson(body.bytes.toString('utf8'));
  if (!isRecord(payload) || !isRecord(payload['aps'])) return refuse('PayloadEmpty');
  return { kind: 'payload', payload };
}
