import type { ClosedBecause } from './listener/connection.ts';
import type { OddTokenShape } from './wire/fields/ios-token-shape.ts';

/** What the outside world did: for log and metrics. */
export interface HttpEvents {
  /** The PBX's answer was handed to its socket `delayMs` after the app's word. */
  pbxAnswered(event: { readonly delayMs: number }): void;
  /** A connection was closed before its client closed it. */
  connectionClosed(event: { readonly why: ClosedBecause }): void;
  /** A request was turned away before it was looked at. */
  requestRefused(event: {
    readonly endpoint: string;
    readonly why:
      | 'address'
      | 'certificate'
      | 'token'
      | 'untrusted-proxy'
      | 'unauthenticated'
      | 'forbidden'
      | 'platform-down'
      | 'limited';
    /** Whose address was looked at, where it decides: a PBX's. */
    readonly address?: string;
    readonly addressFrom?: 'X-Forwarded-For' | 'connection';
  }): void;
  /** A request made no sense; `field` names what was wrong in it. */
  requestInvalid(event: {
    readonly endpoint: string;
    readonly field: string;
    readonly problem: string;
  }): void;
  /** An answer did not prove that it comes from whoever got the push. */
  answerUnproven(event: {
    readonly uniqueKey: string;
    readonly proof: 'missing' | 'wrong';
    readonly refused: boolean;
  }): void;
  /** A bug of ours: the request was answered 500 (NAK for a PBX). */
  requestFailed(event: { readonly endpoint: string; readonly error: unknown }): void;
  /** The database could not be asked. */
  storageFailed(event: { readonly during: string; readonly error: unknown }): void;
  /** The platform API did not say whose account it is. */
  platformFailed(event: { readonly reason: string; readonly error?: unknown }): void;
  deviceRegistered(event: {
    readonly account: number;
    readonly platform: string;
    readonly app: string;
    readonly token: string;
    readonly created: boolean;
    readonly takeover: boolean;
  }): void;
  /** An iPhone registered with a token that Apple will refuse; `clientVersion` is the app's word. */
  iosTokenOdd(event: {
    readonly app: string;
    readonly clientVersion: string | null;
    readonly shape: OddTokenShape;
  }): void;
  deviceUnregistered(event: {
    readonly account: number;
    readonly platform: string;
    readonly app: string;
    readonly token: string;
    readonly found: boolean;
  }): void;
  hangupReported(event: {
    readonly account: number;
    readonly uniqueKey: string;
    readonly reason: string;
  }): void;
  /** An app's own figures of a call; every value is the app's word and may be of any type. */
  metricsReported(report: ReadonlyMap<string, unknown>): void;
}
