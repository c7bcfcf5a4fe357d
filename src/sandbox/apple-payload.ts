import { isRecord } from '../lib/is-record.ts';
import { type AppleRefusal, refuse } from './apple-refusal.ts';
import { parseJson } from './parse-json.ts';
import type { Body } from './read-body.ts';

/** Bytes: 5120 for VoIP, 4096 for everything else (Apple, "Generating a remote notification"). */
export const applePayloadLimit = (pushType: string): number => (pushType === 'voip' ? 5120 : 4096);

/** The payload of a push: JSON, an object, with an `aps` dictionary in it. */
export const checkApplePayload = (
  body: Body,
): { readonly kind: 'payload'; readonly payload: Readonly<Record<string, unknown>> } | AppleRefusal => {
  if (body.kind === 'too-large') return refuse('PayloadTooLarge');
  if (body.kind === 'cut') return refuse('PayloadEmpty');
  const payload = parseJson(body.bytes.toString('utf8'));
  if (!isRecord(payload) || !isRecord(payload['aps'])) return refuse('PayloadEmpty');
  return { kind: 'payload', payload };
};
