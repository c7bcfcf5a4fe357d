import type { ChannelFailure } from './http2-channel-types.ts';
import type { PushVerdict } from './push-provider.ts';

/** What it means for a push that its request has no answer. The failure's own word is the reason. */
export function channelVerdict(failure: ChannelFailure): PushVerdict {
  switch (failure) {
    case 'unreachable':
      return { kind: 'unavailable', reason: failure, unsent: true };
    case 'timeout':
    case 'connection-lost':
    case 'closed':
      return { kind: 'unavailable', reason: failure };
    case 'stream-reset':
      return {
        kind: 'retry',
        reason: failure,
        limit: 'once',
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
