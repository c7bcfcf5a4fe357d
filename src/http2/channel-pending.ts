import type { ClientHttp2Stream } from 'node:http2';
import type { ChannelFailure, ChannelReply, ChannelRequest } from './channel-types.ts';

/** One request on its way through a channel, from `request` to its one reply. */
export class PendingRequest {
  readonly request: ChannelRequest;
  /** Links of the queue it waits in, for removal without a search. */
  queue: { remove(pending: PendingRequest): void } | undefined = undefined;
  previous: PendingRequest | undefined = undefined;
  next: PendingRequest | undefined = undefined;
  /** The stream it is on, while it is on one. */
  stream: ClientHttp2Stream | undefined = undefined;
  /** Since when it waits for a connection or a stream, monotonic milliseconds. */
  waitingSince = 0;
  deadlineTimer: NodeJS.Timeout | undefined = undefined;
  delayTimer: NodeJS.Timeout | undefined = undefined;
  /** How often the peer said that it did not process it. */
  refusals = 0;
  /** How often a connection broke under it, so that nobody knows whether it was processed. */
  losses = 0;
  /** Nothing else is sent on its connection: if that breaks, it is because of this request. */
  alone = false;
  settled = false;
  /** Settled by an answer of the peer's, not by a failure. */
  answered = false;
  readonly #resolve: (reply: ChannelReply) => void;

  constructor(request: ChannelRequest, resolve: (reply: ChannelReply) => void) {
    this.request = request;
    this.#resolve = resolve;
  }

  /** Gives the reply; the first one counts. Leaves the queue and stops the timers. */
  settle(reply: ChannelReply): void {
    if (this.settled) return;
    this.settled = true;
    this.answered = reply.kind === 'answered';
    clearTimeout(this.deadlineTimer);
    if (this.delayTimer !== undefined) clearTimeout(this.delayTimer);
    this.queue?.remove(this);
    this.#resolve(reply);
  }

  /** Gives a failure as the reply. */
  fail(reason: ChannelFailure): void {
    this.settle({ kind: 'failed', reason });
  }
}
