import type { ChannelFailure } from '../http2/channel-types.ts';
import type { PushVerdict } from './push-provider.ts';

/** What it means for a push that its request has no answer. The failure's own word is the reason. */
export function channelVerdict(failure: ChannelFailure): PushVerdict {
  switch (failure) {
    case 'unreachable':
      return { kind: 'unavailable', reason: failure, unsent: true };
    case 'timeout':
    case 'closed':
    case 'dismissed':
      return { kind: 'unavailable', reason: failure };
    case 'connection-refused':
    case 'host-not-found':
    case 'no-route':
    case 'tls-failed':
    case 'not-http2':
    case 'proxy-refused':
      return { kind: 'unavailable', reason: failure, unsent: true, certain: true };
    case 'certificate-expired':
    case 'certificate-revoked':
    case 'certificate-unknown-ca':
    case 'certificate-refused':
      return { kind: 'app-fault', reason: failure, unsent: true };
    case 'connection-lost':
    case 'stream-reset':
      return {
        kind: 'retry',
        reason: failure,
        limit: 'budget',
        afterMs: 0,
        otherwise: { kind: 'unavailable', reason: failure },
      };
    case 'queue-full':
      return { kind: 'overloaded', reason: failure };
    case 'withdrawn':
      return { kind: 'withdrawn', reason: failure };
    case 'malformed':
      return { kind: 'our-fault', reason: failure };
    default:
      return failure satisfies never;
  }
}
