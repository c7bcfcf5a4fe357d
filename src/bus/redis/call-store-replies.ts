import type { CallEnding } from '../../calls/call-outcome.ts';

/** The call has ended, and how. */
export interface Decided {
  readonly kind: 'decided';
  readonly ending: CallEnding;
}

/** What a claim found. `pointed`: an answer to the key that the call was claimed with leads to it. */
export type ClaimReply =
  /** This instance has to wake the phone, with this unique key. */
  | {
      readonly kind: 'ours';
      readonly uniqueKey: string;
      readonly turn: string;
      readonly pointed: boolean;
    }
  /** Another instance does, for so many milliseconds more. */
  | {
      readonly kind: 'shared';
      readonly uniqueKey: string;
      readonly turn: string;
      readonly pointed: boolean;
      readonly leftMs: number;
      readonly owner: string;
    }
  | Decided
  /** The call_id is, or was, another account's unique key: this call needs one of its own. */
  | { readonly kind: 'rekey' }
  | { readonly kind: 'crowded' };

/**
 * What an answer did. `taken`: it settled the call, which these instances have to be told. `duplicate`: an earlier one
 * did, whose ending they may not have heard of.
 */
export type AnswerReply =
  | {
      readonly kind: 'taken' | 'duplicate';
      readonly uniqueKey: string;
      readonly waiters: readonly string[];
      readonly ending: CallEnding;
    }
  | { readonly kind: 'late' | 'unknown' };

/** What the end of a wait did that others have to be told of, or this instance. */
export type EndReply =
  | Decided
  | { readonly kind: 'ended'; readonly others: readonly string[] }
  | { readonly kind: 'handed-over'; readonly owner: string };

/** What a take-over did; nothing where Redis does not know the call. */
export type TakeOverReply =
  | Decided
  | { readonly kind: 'ours' }
  | { readonly kind: 'owned'; readonly owner: string };

/** What a look at a call that waits found; `waiting`: Redis knows it (again) under every key that it is answered to. */
export type RefreshReply =
  | Decided
  | { readonly kind: 'waiting'; readonly turn: string }
  | { readonly kind: 'gone' };

/** A call that was cancelled, and the instances whose PBX waits for it. */
export interface CancelledCall {
  readonly uniqueKey: string;
  readonly waiters: readonly string[];
}
