/**
 * Apple's reasons and their statuses:
 * https://developer.apple.com/documentation/usernotifications/handling-notification-responses-from-apns
 */
export const APPLE_STATUS = {
  BadCollapseId: 400,
  BadDeviceToken: 400,
  BadExpirationDate: 400,
  BadMessageId: 400,
  BadPriority: 400,
  BadTopic: 400,
  DeviceTokenNotForTopic: 400,
  DuplicateHeaders: 400,
  IdleTimeout: 400,
  InvalidPushType: 400,
  MissingDeviceToken: 400,
  MissingTopic: 400,
  PayloadEmpty: 400,
  TopicDisallowed: 400,
  BadCertificate: 403,
  BadCertificateEnvironment: 403,
  BadEnvironmentKeyIdInToken: 403,
  ExpiredProviderToken: 403,
  Forbidden: 403,
  InvalidProviderToken: 403,
  MissingProviderToken: 403,
  UnrelatedKeyIdInToken: 403,
  BadPath: 404,
  MethodNotAllowed: 405,
  ExpiredToken: 410,
  Unregistered: 410,
  PayloadTooLarge: 413,
  TooManyProviderTokenUpdates: 429,
  TooManyRequests: 429,
  InternalServerError: 500,
  ServiceUnavailable: 503,
  Shutdown: 503,
} as const;

/** A word that Apple answers with. */
export type AppleReason = keyof typeof APPLE_STATUS;

/** That a request was refused, and why. */
export interface AppleRefusal {
  readonly kind: 'refused';
  readonly reason: AppleReason;
  /** With 410: milliseconds since the epoch at which the token died. */
  readonly timestamp?: number;
}

/** Makes the refusal for a reason. */
export function refuse(reason: AppleReason): AppleRefusal {
  return { kind: 'refused', reason };
}
