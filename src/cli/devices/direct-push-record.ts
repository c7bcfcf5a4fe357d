import { ConnectError } from '../../http2/channel-connect-error.ts';
import type { ChannelEvents } from '../../http2/channel-types.ts';
import { monotonic } from '../../lib/monotonic.ts';
import type { PushEnded, PushEvents } from '../../push/push-events.ts';
import { scrub } from '../../telemetry/redaction.ts';

/** What the push parts told of one push; times are monotonic milliseconds. */
export interface PushRecord {
  connected: { readonly at: number; readonly tookMs: number } | undefined;
  /** When the JWT was signed, or Google's access token had come. */
  credentialAt: number | undefined;
  ended:
    | (Pick<PushEnded, 'verdict' | 'reason'> & {
        /** What the push service said, where `reason` does not; scrubbed. */
        readonly detail: string | undefined;
      })
    | undefined;
  connectFailures: number;
  /** The last one, in one line. */
  connectError: string | undefined;
  /** Its reason, if the cause is certain. */
  connectReason: string | undefined;
  /** Why Google's token endpoint gave no answer, in one line. */
  credentialError: string | undefined;
}

/** A record of nothing yet. */
export function emptyRecord(): PushRecord {
  return {
    connected: undefined,
    credentialAt: undefined,
    ended: undefined,
    connectFailures: 0,
    connectError: undefined,
    connectReason: undefined,
    credentialError: undefined,
  };
}

/** What the recorder needs to know of the push under way. */
export interface PushUnderWay {
  readonly record: PushRecord;
  /** Row id of its app. */
  readonly app: number;
  /** The one that the push goes to; connections to others are made ahead of need and do not count. */
  readonly origin: string;
  /** Called after each failed try to connect. */
  readonly onConnectFailed: () => void;
}

function nothing(): void {}

/** Events of the push parts that write the record of the push that `current` tells. */
export function recordingEvents(current: () => PushUnderWay | undefined): PushEvents & ChannelEvents {
  const credentialReady = (): void => {
    const push = current();
    if (push !== undefined) push.record.credentialAt ??= monotonic();
  };
  return {
    pushEnded: ({ app, verdict, reason, detail }) => {
      const push = current();
      // The push before may end late, after its connection counted as unreachable.
      if (push?.app === app)
        push.record.ended = { verdict, reason, detail: detail === undefined ? undefined : scrub(detail) };
    },
    channelConnected: ({ origin, tookMs }) => {
      const push = current();
      if (push?.origin === origin) push.record.connected ??= { at: monotonic(), tookMs };
    },
    channelConnectFailed: ({ origin, error }) => {
      const push = current();
      if (push?.origin !== origin) return;
      push.record.connectFailures += 1;
      push.record.connectError = error.message;
      push.record.connectReason =
        error instanceof ConnectError ? (error.failure.certain ?? error.failure.certificate) : undefined;
      push.onConnectFailed();
    },
    apnsTokenMinted: credentialReady,
    fcmTokenFetched: credentialReady,
    fcmTokenFailed: ({ detail }) => {
      const push = current();
      if (push !== undefined && detail !== undefined) {
        push.record.credentialError = `no access token from Google's token endpoint: ${detail}`;
      }
    },
    apnsTokenNotShared: nothing,
    channelLost: nothing,
    pushRetried: nothing,
    breakerChanged: nothing,
    tokenDropped: nothing,
    tokenKept: nothing,
    tokenStoreFailed: nothing,
    pushRefused: nothing,
    appFault: nothing,
    ourFault: nothing,
    appRetired: nothing,
    appCloseFailed: nothing,
  };
}
