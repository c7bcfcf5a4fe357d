import type { IncomingHttpHeaders } from 'node:http2';
import { createLatest, type Latest } from './latest.ts';

/** A push that a stand-in accepted, as it reaches the phone. */
export interface DeliveredPush {
  readonly token: string;
  /** Of the request that brought it, pseudo-headers and authorization included. */
  readonly headers: IncomingHttpHeaders;
  /** The keys the app reads: Apple's payload, Google's `data`. */
  readonly payload: Readonly<Record<string, unknown>>;
  /** Monotonic milliseconds at which it was accepted. */
  readonly at: number;
}

/** Where phones get their pushes from. */
export interface PushSource {
  /** Calls `handler` for each push to `token` until the returned function is called. */
  onPush(token: string, handler: (push: DeliveredPush) => void): () => void;
  /** Calls `handler` for every push, whatever its token, until the returned function is called. */
  onAnyPush(handler: (push: DeliveredPush) => void): () => void;
}

/** The pushes a stand-in accepted: the latest ones to look at, every one to the phones. */
export interface PushLog extends PushSource, Latest<DeliveredPush> {}

/** Makes a log that keeps the latest `keep` pushes. */
export function createPushLog(keep: number): PushLog {
  const latest = createLatest<DeliveredPush>(keep);
  const handlers = new Map<string, Set<(push: DeliveredPush) => void>>();
  const forAll = new Set<(push: DeliveredPush) => void>();
  return {
    ...latest,
    add: (push) => {
      latest.add(push);
      for (const handler of forAll) handler(push);
      for (const handler of handlers.get(push.token) ?? []) handler(push);
    },
    onAnyPush: (handler) => {
      forAll.add(handler);
      return () => forAll.delete(handler);
    },
    onPush: (token, handler) => {
      const known = handlers.get(token) ?? new Set();
      known.add(handler);
      handlers.set(token, known);
      return () => {
        known.delete(handler);
        if (known.size === 0 && handlers.get(token) === known) handlers.delete(token);
      };
    },
  };
}
