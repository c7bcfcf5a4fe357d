import { startDeadline } from './deadline.ts';
import { ErrorReply } from './error-reply.ts';
import { KeptConnection } from './kept-connection.ts';
import type { RedisServer } from './redis-address.ts';
import type { ChannelListener, RedisEvents } from './redis-link.ts';
import type { RedisTrouble } from './redis-unavailable.ts';
import type { Login, ServerConnection } from './server-connection.ts';
import { HEARTBEAT_MS, stallMs } from './timings.ts';

/** What a subscription needs. */
export interface SubscriptionOptions {
  readonly channel: string;
  readonly heard: ChannelListener;
  readonly find: (signal: AbortSignal) => Promise<RedisServer>;
  readonly login: Login;
  readonly timeoutMs: number;
  /** Whether SSUBSCRIBE is tried first. */
  readonly sharded: boolean;
  readonly events: Pick<RedisEvents, 'listening' | 'notListening'>;
}

/** Hears one channel on a connection of its own, which is made anew when it ends or stays silent. */
export class Subscription {
  readonly #options: SubscriptionOptions;
  readonly #kept: KeptConnection;
  #connection: ServerConnection | undefined;
  #stands: boolean | undefined;
  #trouble: RedisTrouble | undefined;
  #next: NodeJS.Timeout | undefined;

  constructor(options: SubscriptionOptions) {
    this.#options = options;
    const limitMs = stallMs(options.timeoutMs);
    this.#kept = new KeptConnection({
      find: options.find,
      login: options.login,
      limitMs,
      prepare: (connection) => this.#subscribe(connection),
      stands: (connection) => {
        this.#connection = connection;
        this.#change(undefined);
        options.heard.onGap();
        this.#lookAt(connection, limitMs);
      },
      lost: (trouble) => {
        clearTimeout(this.#next);
        this.#connection = undefined;
        this.#change(trouble);
      },
    });
  }

  /** Why the channel is not heard; undefined while it is, and before the first try has ended. */
  get trouble(): RedisTrouble | undefined {
    return this.#trouble;
  }

  /** Subscribes anew, at the server that is found now. */
  renew(): void {
    this.#kept.renew('cluster-down');
  }

  async close(): Promise<void> {
    await this.#kept.close();
    clearTimeout(this.#next);
  }

  async #subscribe(connection: ServerConnection): Promise<void> {
    const { channel, heard, sharded } = this.#options;
    const onMessage = (message: string) => heard.onMessage(message);
    try {
      await connection.subscribe(channel, sharded, onMessage);
    } catch (error) {
      // Servers before Redis 7 do not know SSUBSCRIBE; PUBLISH to any of them reaches all.
      if (!sharded || !(error instanceof ErrorReply) || !error.unknownCommand) throw error;
      await connection.subscribe(channel, false, onMessage);
    }
  }

  #change(trouble: RedisTrouble | undefined): void {
    const stands = trouble === undefined;
    this.#trouble = trouble;
    if (this.#stands === stands || trouble?.fault === 'closed') return;
    // The beginning, while a Cluster's servers are still being asked.
    if (this.#stands === undefined && trouble?.fault === 'connecting') return;
    if (this.#stands === true) this.#options.heard.onLost?.();
    this.#stands = stands;
    if (trouble === undefined) this.#options.events.listening();
    else this.#options.events.notListening(trouble);
  }

  /** Nothing may be published for hours: only a PING shows that the connection still is one. */
  #lookAt(connection: ServerConnection, limitMs: number): void {
    this.#next = setTimeout(() => {
      const cancel = startDeadline(limitMs, () => connection.drop('timeout'));
      connection
        .call('PING')
        .finally(cancel)
        .then(
          (answer) => {
            // An array while subscribed (RESP2); anything else: the server has ended the subscription.
            if (!Array.isArray(answer)) connection.drop('cluster-down');
            else if (connection === this.#connection) this.#lookAt(connection, limitMs);
          },
          () => connection.drop('connection-lost'),
        );
    }, HEARTBEAT_MS);
  }
}
