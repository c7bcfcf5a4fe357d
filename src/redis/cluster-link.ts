import { monotonic } from '../lib/monotonic.ts';
import { ClusterServers } from './cluster-servers.ts';
import { ClusterTopology } from './cluster-topology.ts';
import { asUnavailable, ErrorReply } from './error-reply.ts';
import { InFlight, MOST_IN_FLIGHT } from './in-flight.ts';
import { keySlot } from './key-slot.ts';
import type { HostPort } from './redis-address.ts';
import type { ChannelListener, RedisEvents, RedisLink, RedisProbe, RedisScript } from './redis-link.ts';
import { type RedisTrouble, RedisUnavailable } from './redis-unavailable.ts';
import { runScript } from './run-script.ts';
import type { Login, ServerConnection } from './server-connection.ts';
import type { Command, ServerLink } from './server-link.ts';
import type { SlotTable } from './slot-table.ts';
import { Subscription } from './subscription.ts';
import { stallMs } from './timings.ts';

/** What a link to a Cluster needs. */
export interface ClusterLinkOptions {
  readonly seeds: readonly HostPort[];
  readonly login: Login;
  readonly timeoutMs: number;
  readonly prefix: string;
  readonly scripts: readonly RedisScript[];
  readonly probe: RedisProbe | undefined;
  readonly events: RedisEvents;
}

/** A command may be sent on so many times; more means that the servers do not agree. */
const MOST_REDIRECTS = 3;

/** A Redis Cluster: each command goes to the master of its key's slot, and a channel lives at the master of its slot. */
export class ClusterLink implements RedisLink {
  readonly #options: ClusterLinkOptions;
  readonly #servers: ClusterServers;
  readonly #topology: ClusterTopology;
  readonly #subscriptions: { readonly slot: number; readonly subscription: Subscription }[] = [];
  /** Connections to servers without sharded pub/sub: before Redis 7. */
  readonly #withoutShards = new WeakSet<ServerConnection>();
  #table: SlotTable | undefined;

  constructor(options: ClusterLinkOptions) {
    this.#options = options;
    const { seeds, login, timeoutMs, events } = options;
    const servers = new ClusterServers({
      ...options,
      inFlight: new InFlight(MOST_IN_FLIGHT, () => events.redisOverloaded()),
      suspect: () => this.#topology.refreshSoon(),
    });
    this.#servers = servers;
    this.#topology = new ClusterTopology({
      seeds,
      login,
      limitMs: stallMs(timeoutMs) / 2,
      isWell: (server) => servers.isWell(server),
      read: (table) => this.#follow(table),
      failed: (trouble) => servers.unknown(trouble),
    });
  }

  isUp(): boolean {
    return this.#servers.trouble === undefined;
  }

  trouble(): RedisTrouble | undefined {
    const deaf = this.#subscriptions.find(({ subscription }) => subscription.trouble !== undefined);
    return this.#servers.trouble ?? deaf?.subscription.trouble;
  }

  run(
    script: RedisScript,
    keys: readonly string[],
    args: readonly (string | number)[],
    limitMs = this.#options.timeoutMs,
  ): Promise<unknown> {
    const slot = keySlot(keys[0] ?? '');
    return runScript((command, limit) => this.#send(slot, command, limit), script, keys, args, limitMs);
  }

  async publish(channel: string, message: string): Promise<number> {
    try {
      return Number(await this.#publish(channel, message));
    } catch (error) {
      throw asUnavailable(error);
    }
  }

  listen(channel: string, heard: ChannelListener): void {
    const { login, timeoutMs, events } = this.#options;
    const slot = keySlot(channel);
    const find = async () => {
      this.#topology.refreshSoon();
      return this.#ownerOf(slot);
    };
    const subscription = new Subscription({ channel, heard, find, login, timeoutMs, sharded: true, events });
    this.#subscriptions.push({ slot, subscription });
  }

  async ping(): Promise<void> {
    const links = this.#servers.links();
    if (links.length === 0) throw new RedisUnavailable(this.#servers.trouble?.fault ?? 'connecting');
    try {
      await Promise.any(links.map((link) => link.check()));
    } catch (error) {
      throw error instanceof AggregateError ? error.errors[0] : error;
    }
  }

  async close(): Promise<void> {
    await this.#topology.close();
    await Promise.all([
      this.#servers.close(),
      ...this.#subscriptions.map(({ subscription }) => subscription.close()),
    ]);
  }

  #follow(table: SlotTable): void {
    const before = this.#table;
    this.#table = table;
    this.#servers.follow(table);
    for (const { slot, subscription } of this.#subscriptions) {
      if (before === undefined || before.ownerOf(slot) !== table.ownerOf(slot)) subscription.renew();
    }
  }

  #ownerOf(slot: number): HostPort {
    const table = this.#table;
    if (table === undefined) throw new RedisUnavailable(this.#servers.trouble?.fault ?? 'connecting');
    const owner = table.masters.get(table.ownerOf(slot) ?? '');
    if (owner === undefined) throw new RedisUnavailable('cluster-down');
    return owner;
  }

  async #publish(channel: string, message: string): Promise<unknown> {
    const slot = keySlot(channel);
    const limitMs = this.#options.timeoutMs;
    const started = monotonic();
    const { connection } = this.#servers.at(this.#ownerOf(slot));
    if (connection !== undefined && !this.#withoutShards.has(connection)) {
      try {
        return await this.#send(slot, { name: 'SPUBLISH', args: [channel, message] }, limitMs);
      } catch (error) {
        if (!(error instanceof ErrorReply) || !error.unknownCommand) throw error;
        this.#withoutShards.add(connection);
      }
    }
    const command = { name: 'PUBLISH', args: [channel, message] };
    return this.#send(slot, command, limitMs - (monotonic() - started));
  }

  async #send(slot: number, command: Command, limitMs: number): Promise<unknown> {
    const started = monotonic();
    let asked = this.#ownerOf(slot);
    let asking = false;
    for (let redirects = 0; ; redirects += 1) {
      const link: ServerLink = this.#servers.at(asked);
      try {
        return await link.call({ ...command, asking }, limitMs - (monotonic() - started));
      } catch (error) {
        const redirect = error instanceof ErrorReply ? error.redirect : undefined;
        if (redirect === undefined) throw error;
        if (redirect.kind === 'MOVED') this.#topology.refreshSoon();
        if (redirects >= MOST_REDIRECTS) throw new RedisUnavailable('cluster-down', { cause: error });
        asking = redirect.kind === 'ASK';
        const { host, port } = redirect.server;
        asked = { host: host === '' ? asked.host : host, port };
      }
    }
  }
}
