import type { Platform } from './platform.ts';

/** What proves to Apple or Google that a push for an app comes from its owner. All PEM, unencrypted. */
export type AppCredential =
  | {
      readonly kind: 'apns-key';
      readonly teamId: string;
      readonly keyId: string;
      readonly privateKey: string;
    }
  | { readonly kind: 'apns-certificate'; readonly certificate: string; readonly privateKey: string }
  | {
      readonly kind: 'fcm-service-account';
      readonly projectId: string;
      readonly clientEmail: string;
      readonly privateKeyId: string;
      readonly privateKey: string;
      /** Where the OAuth2 token is asked for; `https:` except on loopback. */
      readonly tokenUri: string;
    };

/** An app whose phones this service may wake. */
export interface App {
  /** Row id; a removed and re-added app gets a new one. */
  readonly key: number;
  readonly platform: Platform;
  /** Bundle id (iOS) or package name (Android); unique within its platform. */
  readonly appId: string;
  readonly credential: AppCredential;
  /** Moves with every change of the app, so that a running service notices. */
  readonly revision: number;
}
