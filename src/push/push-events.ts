import type { Platform } from '../apps/platform.ts';
import type { BreakerState } from './breaker.ts';
import type { FinalVerdict, ProviderName, PushEnvironment } from './push-provider.ts';
import type { PushResult } from './push-result.ts';
import type { ApnsTokenEvents } from './services/apns/token.ts';
import type { FcmTokenEvents } from './services/fcm/token.ts';
import type { KeepReason } from './token-guard.ts';

/** Which app an event is about. */
export interface AppLabels {
  /** Row id of the app. */
  readonly app: number;
  readonly appId: string;
  readonly platform: Platform;
}

/** Which push an event is about; holds no token, number or name. */
export interface PushLabels extends AppLabels {
  readonly provider: ProviderName;
  /** The message's UUID (`apns-id`). */
  readonly pushId: string;
  /** The call's `unique_key`; null for a notice. */
  readonly uniqueKey: string | null;
  /** Which push of its call; 0 for a notice. */
  readonly attempt: number;
  readonly account: number;
}

/** What a provider said of a push: a word of a closed set. `detail`: its own text, if the set has no word for it. */
interface ProviderSaid {
  readonly reason: string;
  readonly detail?: string;
}

/** The end of a push. */
export interface PushEnded extends PushLabels, ProviderSaid {
  readonly kind: PushResult['kind'];
  /** The provider's last word; `not-sent` when it was not asked. */
  readonly verdict: FinalVerdict['kind'] | 'not-sent';
  /** Milliseconds from the wish to push to its end. */
  readonly tookMs: number;
  /** How often the provider was asked. */
  readonly tries: number;
}

/** What the sender and its parts tell, for log and metrics: one method for each event. */
export interface SenderEvents {
  pushEnded(event: PushEnded): void;
  /** A try failed and the push is tried again `inMs` later. */
  pushRetried(event: PushLabels & ProviderSaid & { readonly inMs: number }): void;
  breakerChanged(
    /** `reason`: what brought it about: the provider's word, `cool-down-over`, `connected` or `token-fetched`. */
    event: AppLabels & ProviderSaid & { readonly environment: PushEnvironment; readonly state: BreakerState },
  ): void;
  /** A device was taken out of the store because of what the provider said of its token. */
  tokenDropped(event: PushLabels & ProviderSaid): void;
  /** A refused token was kept; `alarm` asks for a look at the app's setup. */
  tokenKept(
    event: PushLabels & ProviderSaid & { readonly because: KeepReason; readonly alarm: boolean },
  ): void;
  /** The store could not be told about a token. */
  tokenStoreFailed(event: PushLabels & { readonly error: unknown }): void;
  /** The app's credential was refused for this push, twice, while it works for other devices. */
  pushRefused(event: PushLabels & ProviderSaid): void;
  /** The app's credential is refused, or unusable: no call of the app will ring. */
  appFault(event: AppLabels & ProviderSaid & { readonly error?: Error }): void;
  /** The provider says that the message is wrong: a fault of this service or of its settings. */
  ourFault(event: PushLabels & ProviderSaid & { readonly error?: unknown }): void;
  /** An app was removed, or was changed and has another sender by now: what its breakers said is out of date. */
  appRetired(event: AppLabels): void;
  /** An app's way to its push service could not be closed in order. */
  appCloseFailed(event: AppLabels & { readonly error: unknown }): void;
}

/** What Google's tokens tell, with the project whose service account asked. */
type ProjectTokenEvents = {
  [Name in keyof FcmTokenEvents]: (
    event: Parameters<FcmTokenEvents[Name]>[0] & { readonly project: string },
  ) => void;
};

/** Everything that the push parts tell, the channels' own events aside. */
export interface PushEvents extends SenderEvents, ApnsTokenEvents, ProjectTokenEvents {}
