import type { PushTarget } from '../devices/device.ts';
import type { PushMessage } from './push-message.ts';

/** One message for one device. */
export interface PushRequest {
  /** UUID of this message, the same for every try of it (`apns-id`). */
  readonly id: string;
  readonly device: PushTarget;
  readonly message: PushMessage;
  /** Monotonic milliseconds (`performance.now()`) after which no answer is of use. */
  readonly deadline: number;
  /** False once the call has ended: what is not on the wire yet need not be sent. */
  readonly wanted: () => boolean;
}

/** How a try differs from the first: what a `retry` verdict asked for. */
export interface PushVariant {
  /** Leave out the caller's name. */
  readonly minimal: boolean;
  /** Apple's other environment than the device's. */
  readonly otherEnvironment: boolean;
}

/**
 * A verdict that ends the push. `reason` is the provider's own word from a closed table, or `Other`; `detail` is what the
 * provider said in its place (`answerDetail`), for the log alone.
 */
export type FinalVerdict = Ending & { readonly detail?: string };

type Ending =
  /** `sandbox`: which of Apple's environments took it, where the device did not say which is its own. */
  | { readonly kind: 'accepted'; readonly reason: string; readonly sandbox?: boolean }
  /** The provider says that the token is dead; `since` (epoch ms) is when it died, where it says so. */
  | { readonly kind: 'token-dead'; readonly reason: string; readonly since?: number }
  /** The token does not fit, which our own configuration can cause as well. */
  | { readonly kind: 'token-suspect'; readonly reason: string }
  /** The message is malformed or the service misused: a bug or a wrong setting of ours. */
  | { readonly kind: 'our-fault'; readonly reason: string }
  /** The app's credential is not accepted. `unsent`: no push was sent with it, so that none of the app will be. */
  | { readonly kind: 'app-fault'; readonly reason: string; readonly unsent?: true }
  /** Too many pushes, to this device or of this app. */
  | {
      readonly kind: 'throttled';
      readonly reason: string;
      readonly scope: 'device' | 'app';
      readonly retryAfterMs?: number;
    }
  /**
   * The provider could not be asked or could not answer. `unsent`: whichever device the push was for. `certain`: no push
   * can reach it now, e.g. because nothing listens.
   */
  | {
      readonly kind: 'unavailable';
      readonly reason: string;
      readonly retryAfterMs?: number;
      readonly unsent?: true;
      readonly certain?: true;
    }
  /** Our own bound on what is in flight was reached. */
  | { readonly kind: 'overloaded'; readonly reason: string }
  /** The call ended before the message was on the wire. */
  | { readonly kind: 'withdrawn'; readonly reason: string };

/** What a provider's answer means. `retry` names what it becomes when it cannot be tried again. */
export type PushVerdict =
  | FinalVerdict
  | {
      readonly kind: 'retry';
      readonly reason: string;
      /** `once`: one more try for this push. `budget`: as long as the deadline allows. */
      readonly limit: 'once' | 'budget';
      readonly afterMs: number;
      readonly variant?: Partial<PushVariant>;
      readonly otherwise: FinalVerdict;
    };

/** Apple's two worlds; everything of Google's is `production`. Each has its own servers and can fail alone. */
export type PushEnvironment = 'production' | 'sandbox';

/** Which push service a provider speaks to. */
export type ProviderName = 'apns' | 'fcm';

/** What works again on the way to a push service: a connection was made, or an OAuth token fetched. */
export type WayBack = 'connected' | 'token-fetched';

/** One app's way to its push service. */
export interface PushProvider {
  readonly name: ProviderName;
  /** Where the first try of a push for this device goes. */
  environmentOf(device: PushTarget): PushEnvironment;
  /** Sends once and says what the answer means. Never rejects; ends by the request's deadline. */
  send(request: PushRequest, variant: PushVariant): Promise<PushVerdict>;
  /** Connects and fetches what is needed ahead of a call, if it is not there; at a bounded rate, however often it is called. */
  warm(): void;
  /** Calls `back` each time that a way works again, until `close`. */
  watch(back: (environment: PushEnvironment, way: WayBack) => void): void;
  /** Lets go of the connections; requests in flight end as `unavailable`. */
  close(): Promise<void>;
}
