import { asUnavailable } from './error-reply.ts';
import { InFlight, MOST_IN_FLIGHT } from './in-flight.ts';
import { probeKey, probeServer } from './probe.ts';
import type { RedisServer } from './redis-address.ts';
import type { ChannelListener, RedisEvents, RedisLink, RedisProbe, RedisScript } from './redis-link.ts';
import type { RedisTrouble } from './redis-unavailable.ts';
import { runScript } from './run-script.ts';
import type { Login } from './server-connection.ts';
import { ServerLink } from './server-link.ts';
import { Subscription } from './subscription.ts';

/** What a link to one server at a time needs. */
export interface SingleLinkOptions {
  /** Where the server is now. */
  readonly find: (signal: AbortSignal) => Promise<RedisServer>;
  readonly login: Login;
  readonly timeoutMs: number;
  readonly prefix: string;
  readonly scripts: readonly RedisScript[];
  readonly probe: RedisProbe | undefined;
  readonly events: RedisEvents;
}

/** One Redis server, or the master that Sentinels name. */
export class SingleLink implements RedisLink {
  readonly #options: SingleLinkOptions;
  readonly #server: ServerLink;
  readonly #subscriptions: Subscription[] = [];

  constructor(options: SingleLinkOptions) {
    this.#options = options;
    const { find, login, timeoutMs, scripts, events } = options;
    this.#server = new ServerLink({
      find,
      login,
      timeoutMs,
      inFlight: new InFlight(MOST_IN_FLIGHT, () => events.redisOverloaded()),
      scripts,
      probe: (connection) => probeServer(connection, options, `${probeKey(options)}0`, 'PUBLISH'),
      changed: (trouble) => (trouble === undefined ? events.redisUp() : events.redisDown(trouble)),
    });
  }

  isUp(): boolean {
    return this.#server.trouble === undefined;
  }

  trouble(): RedisTrouble | undefined {
    return this.#server.trouble ?? this.#subscriptions.find(({ trouble }) => trouble !== undefined)?.trouble;
  }

  run(
    script: RedisScript,
    keys: readonly string[],
    args: readonly (string | number)[],
    limitMs = this.#options.timeoutMs,
  ): Promise<unknown> {
    return runScript((command, limit) => this.#server.call(command, limit), script, keys, args, limitMs);
  }

  async publish(channel: string, message: string): Promise<number> {
    try {
      const command = { name: 'PUBLISH', args: [channel, message] };
      return Number(await this.#server.call(command, this.#options.timeoutMs));
    } catch (error) {
      throw asUnavailable(error);
    }
  }

  listen(channel: string, heard: ChannelListener): void {
    const { find, login, timeoutMs, events } = this.#options;
    this.#subscriptions.push(
      new Subscription({ channel, heard, find, login, timeoutMs, sharded: false, events }),
    );
  }

  async ping(): Promise<void> {
    await this.#server.check();
  }

  async close(): Promise<void> {
    await Promise.all([this.#server, ...this.#subscriptions].map((part) => part.close()));
  }
}
