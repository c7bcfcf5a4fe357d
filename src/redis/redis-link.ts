import type { RedisTrouble } from './redis-unavailable.ts';

/** A Lua script. All its KEYS share one hash tag, so that one server of a Cluster holds them. */
export interface RedisScript {
  /** Names it in errors. */
  readonly name: string;
  readonly lua: string;
}

/** How a server shows that it does what calls need. */
export interface RedisProbe {
  /** Calls each command that calls need, on one key, and leaves nothing there. */
  readonly script: RedisScript;
  /** Begins the key that the script is run with. */
  readonly key: string;
  /** Begins the channel that a message is sent to. */
  readonly channel: string;
}

/** Who hears a channel. Must not throw. */
export interface ChannelListener {
  onMessage(message: string): void;
  /** The subscription stands (again), the first time included: what was published before may have been missed. */
  onGap(): void;
  /** The subscription has ended: what is published until `onGap` is missed. */
  onLost?(): void;
}

/**
 * Redis as the rest of the service uses it. Nothing is queued while Redis is away, nothing is sent twice: whoever
 * asked decides. A rejected command may nevertheless have been carried out, or be carried out late.
 */
export interface RedisLink {
  /**
   * False from the first sign that Redis does not do its work until it has done some again. In a Cluster: true while
   * any of its masters works; commands for a master that does not are rejected at once. Cheap: asked for every call.
   */
  isUp(): boolean;
  /** What keeps commands from being carried out, or messages from being heard; undefined: nothing. */
  trouble(): RedisTrouble | undefined;
  /**
   * Runs a script (EVALSHA, and EVAL where the server does not know it). Rejects with `RedisUnavailable`: at once
   * while Redis is down or too many commands are in flight, else after `limitMs` (default: REDIS_TIMEOUT) at the
   * latest, and then the link counts as down until Redis has answered a probe, unless the limit was less than half of
   * REDIS_TIMEOUT. Rejects with another error where Redis finds fault with the script itself.
   */
  run(
    script: RedisScript,
    keys: readonly string[],
    args: readonly (string | number)[],
    limitMs?: number,
  ): Promise<unknown>;
  /**
   * Sends to a channel; resolves with how many subscribers this server (in a Cluster: the server of the channel's
   * slot) handed it to. Fails as `run` does.
   */
  publish(channel: string, message: string): Promise<number>;
  /** Hears one channel from now until `close`, on a connection of its own. */
  listen(channel: string, heard: ChannelListener): void;
  /** Resolves when Redis has shown within REDIS_TIMEOUT that it writes; for readiness. Never hangs. */
  ping(): Promise<void>;
  /** Ends every connection and timer; whatever is in flight is rejected. */
  close(): Promise<void>;
}

/** What a link tells, each once per change and not once per try. */
export interface RedisEvents {
  redisUp(): void;
  redisDown(why: RedisTrouble): void;
  /** One master of a Cluster works again, or does not; `server` is its host:port. */
  shardUp(shard: { readonly server: string }): void;
  shardDown(shard: RedisTrouble & { readonly server: string }): void;
  /** A channel of `listen` is heard, or is not; messages may be missed until it is. */
  listening(): void;
  notListening(why: RedisTrouble): void;
  /** A command was turned away because too many are in flight. */
  redisOverloaded(): void;
}
