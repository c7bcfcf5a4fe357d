/** How a push ended for the call that asked for it. `reason` is from a closed set: a provider's word or ours. */
export type PushResult =
  /** The push service took it: the phone may answer now. */
  | {
      readonly kind: 'accepted';
      readonly reason: string;
      /** Which of Apple's environments took it, where the device had not said. */
      readonly sandbox?: boolean;
    }
  /** The token is dead or does not fit: no push to it will be taken. */
  | { readonly kind: 'token-gone'; readonly reason: string }
  /** Refused or unanswered, and trying again is over. */
  | { readonly kind: 'failed'; readonly reason: string }
  /** The app's push service is known to be out of order, or the app has no usable credential. */
  | { readonly kind: 'provider-down'; readonly reason: string }
  /** Too many pushes of this app are in flight. */
  | { readonly kind: 'overloaded'; readonly reason: string }
  /** The call was over before the push was on the wire. */
  | { readonly kind: 'withdrawn'; readonly reason: string };
