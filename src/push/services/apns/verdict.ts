import type { FinalVerdict, PushVariant, PushVerdict } from '../../push-provider.ts';
import type { ApnsAnswer } from './answers.ts';

/** What is known of the push beside its answer. */
export interface ApnsTry {
  /** The device did not say which environment its token is of. */
  readonly environmentUnknown: boolean;
  readonly variant: PushVariant;
  /** Where this try went. */
  readonly sandbox: boolean;
  /** Another provider token will be used from now on; only asked when Apple says that the last one has expired. */
  readonly hasNewToken: boolean;
  readonly retryAfterMs: number | undefined;
}

/** What a push does after an answer of Apple's. */
export function apnsVerdict(answer: ApnsAnswer, attempt: ApnsTry): PushVerdict {
  const { reason } = answer;
  switch (answer.meaning) {
    case 'accepted': {
      const learnt = attempt.environmentUnknown && attempt.variant.otherEnvironment;
      return { kind: 'accepted', reason, ...(learnt ? { sandbox: attempt.sandbox } : {}) };
    }
    case 'token-misfit':
      return misfit(reason, attempt);
    case 'token-dead':
      // Without a time of death nothing says that the token died after this registration: the phone is kept.
      return { kind: 'token-dead', reason, since: answer.since ?? 0 };
    case 'our-fault':
      return { kind: 'our-fault', reason };
    case 'app-fault':
      return appFault(reason, attempt);
    case 'jwt-expired':
      return attempt.hasNewToken ? once(reason, appFault(reason, attempt)) : appFault(reason, attempt);
    case 'jwt-changed-too-often':
      return { kind: 'throttled', reason, scope: 'app', ...retryAfter(attempt) };
    case 'payload-too-large': {
      const otherwise = { kind: 'our-fault', reason } as const;
      return attempt.variant.minimal ? otherwise : { ...once(reason, otherwise), variant: { minimal: true } };
    }
    case 'device-throttled':
      return { kind: 'throttled', reason, scope: 'device', ...retryAfter(attempt) };
    case 'idle':
    case 'broken-connection':
      return once(reason, { kind: 'unavailable', reason });
    case 'out-of-service': {
      const otherwise = { kind: 'unavailable', reason, ...retryAfter(attempt) } as const;
      return { kind: 'retry', reason, limit: 'budget', afterMs: attempt.retryAfterMs ?? 0, otherwise };
    }
    default:
      return answer.meaning satisfies never;
  }
}

function misfit(reason: string, attempt: ApnsTry): PushVerdict {
  const otherwise = { kind: 'token-suspect', reason } as const;
  if (!attempt.environmentUnknown || attempt.variant.otherEnvironment) return otherwise;
  return { ...once(reason, otherwise), variant: { otherEnvironment: true } };
}

/**
 * A key may be bound to one environment: refused in the other one, it is not broken, and the token that the device's
 * own environment did not know fits nowhere that we can reach.
 */
function appFault(reason: string, attempt: ApnsTry): FinalVerdict {
  return { kind: attempt.variant.otherEnvironment ? 'token-suspect' : 'app-fault', reason };
}

function once(reason: string, otherwise: FinalVerdict) {
  return { kind: 'retry', reason, limit: 'once', afterMs: 0, otherwise } as const;
}

function retryAfter({ retryAfterMs }: ApnsTry) {
  return retryAfterMs === undefined ? {} : { retryAfterMs };
}
