import { saidBy } from './answer-detail.ts';
import type { FinalVerdict } from './push-provider.ts';

/** What a push's end tells of the push service as a whole, if it does not work. */
export interface PushFailure {
  readonly reason: string;
  readonly detail?: string;
  /** The credential was refused. */
  readonly refusal: boolean;
  /** Nothing was sent, so it is not the device's doing. */
  readonly unsent: boolean;
  readonly retryAfterMs: number;
}

/** Ends that a short deadline alone can bring about. */
const OUT_OF_TIME: ReadonlySet<string> = new Set(['timeout', 'unreachable', 'oauth-timeout']);

/**
 * Reads a verdict as news of the push service; none is no news. `hadTime`: the push had enough time for an answer.
 */
export function pushNews(
  verdict: FinalVerdict | undefined,
  hadTime: boolean,
): PushFailure | 'success' | 'nothing' {
  if (verdict === undefined) return 'nothing';
  const said = saidBy(verdict);
  switch (verdict.kind) {
    // A refusal of this phone or this message is an answer: the push service works.
    case 'accepted':
    case 'token-dead':
    case 'token-suspect':
    case 'our-fault':
      return 'success';
    case 'app-fault':
      return { ...said, refusal: true, unsent: verdict.unsent === true, retryAfterMs: 0 };
    case 'throttled':
      if (verdict.scope === 'device') return 'success';
      return { ...said, refusal: false, unsent: false, retryAfterMs: verdict.retryAfterMs ?? 0 };
    case 'unavailable':
      if (OUT_OF_TIME.has(said.reason) && !hadTime) return 'nothing';
      return {
        ...said,
        refusal: false,
        unsent: verdict.unsent === true,
        retryAfterMs: verdict.retryAfterMs ?? 0,
      };
    case 'overloaded':
    case 'withdrawn':
      return 'nothing';
    default:
      return verdict satisfies never;
  }
}
