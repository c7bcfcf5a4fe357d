import type { RequestListener, ServerResponse } from 'node:http';

/** Requests of a connection that may be without their answer. */
const MOST_UNANSWERED = 16;
/** Bytes of answers that may wait for the client while its next request is started. */
const MOST_UNREAD_BYTES = 16_384;

/** What the first request beyond a bound hears; the connection ends with it. */
const TOO_MANY_WORDS = 'status=NAK';
const TOO_MANY = {
  connection: 'close',
  'content-length': TOO_MANY_WORDS.length,
  'content-type': 'text/plain; charset=utf-8',
  'x-wake-outcome': 'overloaded',
};

/**
 * The requests of one connection. A client may send the next ones without waiting for answers:
 * - They are started in their order, one in each turn of the event loop, so that other connections get their turn.
 * - A call that waits does not keep the next from being started: the app's word may come over the same connection.
 * - While more than 16 KiB of answers wait for the client, none is started.
 *   (If it is more than 64 KiB, Node stops reading requests, too.)
 * - If more than 16 are without an answer, the first that is not started gets 503, and the others are dropped.
 */
export class Pipeline {
  readonly #start: RequestListener;
  /** Those without their answer, in their order; Node sends the answers in the same. */
  readonly #responses: ServerResponse[] = [];
  #started = 0;
  #isScheduled = false;
  #isOver = false;
  #lastly: (() => void) | undefined;
  #hasAsked = false;

  constructor(start: RequestListener) {
    this.#start = start;
  }

  /** Requests whose answer is not out. */
  get unanswered(): number {
    return this.#responses.length;
  }

  /** No whole request is without its answer: requests come one after the other, so all but the last are whole. */
  get isEmpty(): boolean {
    const [first] = this.#responses;
    return first === undefined || (this.#responses.length === 1 && !first.req.complete);
  }

  /** A request has come at some time. */
  get hasAsked(): boolean {
    return this.#hasAsked;
  }

  /** What else comes is ignored. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Starts a request, or lets it wait. False: it is beyond a bound; then the connection gets 503 and is over. */
  add(response: ServerResponse): boolean {
    this.#hasAsked = true;
    this.#responses.push(response);
    if (this.#responses.length > MOST_UNANSWERED) {
      this.#refuse();
      return false;
    }
    if (this.#responses.length === 1) this.#startNext();
    else this.#schedule();
    return true;
  }

  /** An answer is out, or its connection closed. */
  answered(response: ServerResponse): void {
    const index = this.#responses.indexOf(response);
    if (index === -1) return;
    this.#responses.splice(index, 1);
    if (index < this.#started) this.#started -= 1;
    this.#schedule();
    if (this.isEmpty) this.#lastly?.();
  }

  /** No more requests can come: `act` is called once, when what has come is answered. Later calls do nothing. */
  lastly(act: () => void): void {
    if (this.#isOver) return;
    this.#isOver = true;
    if (this.isEmpty) act();
    else this.#lastly = act;
  }

  /** Starts none of those that wait. */
  end(): void {
    this.#isOver = true;
    this.#responses.length = this.#started;
  }

  /** Its connection is closed. Node says so to the first response only, unless it still reads requests. */
  abort(): void {
    this.end();
    this.#lastly = undefined;
    for (const response of this.#responses) response.destroy();
  }

  #schedule(): void {
    if (this.#isScheduled || this.#started === this.#responses.length) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      const unread = this.#responses.reduce((sum, { writableLength }) => sum + writableLength, 0);
      if (unread <= MOST_UNREAD_BYTES) this.#startNext();
    });
  }

  #startNext(): void {
    const next = this.#responses[this.#started];
    if (next === undefined) return;
    this.#started += 1;
    this.#start(next.req, next);
    this.#schedule();
  }

  /** The first that waits hears it for all. */
  #refuse(): void {
    const next = this.#responses[this.#started];
    this.#started += 1;
    this.end();
    next?.writeHead(503, TOO_MANY).end(TOO_MANY_WORDS);
  }
}
