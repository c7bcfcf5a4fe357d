/** What an iPhone's push token looks like that Apple cannot have made. */
export const ODD_TOKEN_SHAPES = ['fcm', 'base64', 'other'] as const;

export type OddTokenShape = (typeof ODD_TOKEN_SHAPES)[number];

/**
 * Undefined for the hexadecimal text of 32 bytes, or of up to 100 if Apple should make them longer, the only form of a device token in a request to Apple
 * (https://developer.apple.com/documentation/usernotifications/sending-notification-requests-to-apns).
 */
export function oddTokenShape(token: string): OddTokenShape | undefined {
  if (/^(?:[0-9a-f]{2}){32,100}$/i.test(token)) return undefined;
  if (/^[\w-]+:[\w-]+$/.test(token)) return 'fcm';
  return /^(?!0x)(?![0-9a-f]*$)[A-Za-z0-9+/_-]{40,}={0,2}$/i.test(token) ? 'base64' : 'other';
}
