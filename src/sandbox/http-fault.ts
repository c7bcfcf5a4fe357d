/** What can go wrong with a request over HTTP/1.1. */
export type HttpFault =
  /** Taken up after `ms` milliseconds, then served as usual. */
  | { readonly kind: 'delay'; readonly ms: number }
  /** Never answered. */
  | { readonly kind: 'hang' }
  /** The connection breaks without an answer. */
  | { readonly kind: 'disconnect' }
  /** This answer in the place of the right one. */
  | {
      readonly kind: 'answer';
      readonly status: number;
      readonly headers?: Readonly<Record<string, string>>;
      readonly body?: string;
    };
