import type { Platform } from '../apps/platform.ts';

/** A phone that is registered for an account. One account has at most one device; a new registration replaces it. */
export interface Device {
  /** The SIP account (`sip_user_id` on the wire): 100000000 to 999999999. */
  readonly account: number;
  /** Row id of the app that the device runs. */
  readonly appKey: number;
  readonly platform: Platform;
  /** Bundle id (iOS) or package name (Android). */
  readonly appId: string;
  /** The push token exactly as registered, 1 to 250 characters. */
  readonly token: string;
  /** Apple's sandbox environment; null when the app did not say. Meaningless for Google's platforms. */
  readonly sandbox: boolean | null;
  readonly name: string | null;
  readonly osVersion: string | null;
  readonly clientVersion: string | null;
  readonly remoteLoggingId: string | null;
  /** `once`: the app wants exactly one push a call (vialer-ios 5.8 and later, Flutter iOS). */
  readonly pushProfile: string | null;
  /** Token for ordinary alert pushes (Flutter iOS), on the plain bundle topic. */
  readonly remoteNotificationToken: string | null;
  /** When the app last registered, milliseconds since the epoch. */
  readonly registeredAt: number;
  /** When the app was last heard of (registration or check-in), milliseconds since the epoch. */
  readonly lastSeenAt: number;
}

/** A phone as far as it takes to wake it, or to tell it that another one took its account. */
export type PushTarget = Pick<
  Device,
  | 'account'
  | 'appKey'
  | 'platform'
  | 'appId'
  | 'token'
  | 'sandbox'
  | 'pushProfile'
  | 'remoteNotificationToken'
  | 'registeredAt'
>;
