import { Client, type Dispatcher } from 'undici';

/** One request to the service or the limit. */
export interface Post {
  /** `http://host:port` */
  readonly origin: string;
  readonly path: string;
  readonly contentType: string;
  readonly body: string;
  /** Over a connection of its own, which ends with the answer. */
  readonly fresh: boolean;
}

/** Told once: with the answer, or with status 0 where the connection broke. */
export type OnAnswer = (status: number, body: string) => void;

/** Neither side may end a connection in the middle of a measurement. */
const KEPT_MS = 600_000;

/**
 * Connections to all origins, each with one request at a time: as many as wait at once, because the answer to a PBX may
 * take as long as the call waits. Those that are free are used again, the one used last first.
 */
export class Connections {
  readonly #free = new Map<string, Client[]>();

  post(post: Post, onAnswer: OnAnswer): void {
    const free = this.#freeOf(post.origin);
    const client = (post.fresh ? undefined : free.pop()) ?? this.#connect(post.origin);
    const options: Dispatcher.DispatchOptions = {
      method: 'POST',
      path: post.path,
      headers: ['accept', '*/*', 'content-type', post.contentType],
      body: post.body,
      reset: post.fresh,
    };
    const end = (broken: boolean): void => {
      if (broken || post.fresh) this.#drop(client);
      else free.push(client);
    };
    client.dispatch(options, new Answer(onAnswer, end));
  }

  #freeOf(origin: string): Client[] {
    const known = this.#free.get(origin);
    if (known !== undefined) return known;
    const free: Client[] = [];
    this.#free.set(origin, free);
    return free;
  }

  #connect(origin: string): Client {
    return new Client(origin, {
      headersTimeout: 0,
      bodyTimeout: 0,
      keepAliveTimeout: KEPT_MS,
      keepAliveMaxTimeout: KEPT_MS,
      autoSelectFamily: false,
    });
  }

  #drop(client: Client): void {
    if (client.destroyed) return;
    // Whatever waited on it is told by its handler.
    client.destroy().catch(() => {});
  }
}

class Answer implements Dispatcher.DispatchHandler {
  readonly #onAnswer: OnAnswer;
  readonly #end: (broken: boolean) => void;
  #status = 0;
  #body = '';

  constructor(onAnswer: OnAnswer, end: (broken: boolean) => void) {
    this.#onAnswer = onAnswer;
    this.#end = end;
  }

  onRequestStart(): void {}

  onResponseStart(_controller: Dispatcher.DispatchController, status: number): void {
    this.#status = status;
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#body += chunk.toString('latin1');
  }

  onResponseEnd(): void {
    this.#end(false);
    this.#onAnswer(this.#status, this.#body);
  }

  onResponseError(): void {
    this.#end(true);
    this.#onAnswer(0, '');
  }
}
