import { askOnce } from './ask-once.ts';
import { ErrorReply, troubleOf } from './error-reply.ts';
import type { HostPort } from './redis-address.ts';
import { type RedisTrouble, RedisUnavailable } from './redis-unavailable.ts';
import type { Login } from './server-connection.ts';
import { readSlotTable, type SlotTable, serverKey } from './slot-table.ts';
import { TABLE_LEAST_MS, TABLE_MS, TABLE_UNWELL_MS } from './timings.ts';

/** What keeps a slot table fresh. */
export interface TopologyOptions {
  /** Servers that are asked first when none is known yet, and last otherwise. */
  readonly seeds: readonly HostPort[];
  readonly login: Login;
  /** Milliseconds for asking one server. */
  readonly limitMs: number;
  /** Whether this server is known to work: those are asked first. */
  readonly isWell: (server: string) => boolean;
  readonly read: (table: SlotTable) => void;
  /** No server told a table. */
  readonly failed: (trouble: RedisTrouble) => void;
}

/** Reads the slot table of a Cluster now and then, more often while something is wrong, and soon when asked to. */
export class ClusterTopology {
  readonly #options: TopologyOptions;
  readonly #stop = new AbortController();
  readonly #life: Promise<void>;
  #servers: readonly HostPort[] = [];
  #well = false;
  #wanted = false;
  #wake: (() => void) | undefined;

  constructor(options: TopologyOptions) {
    this.#options = options;
    this.#life = this.#live();
  }

  /** Something points to the table having changed. */
  refreshSoon(): void {
    this.#wanted = true;
    this.#wake?.();
  }

  async close(): Promise<void> {
    this.#stop.abort();
    this.refreshSoon();
    await this.#life;
  }

  async #live(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      this.#wanted = false;
      await this.#refresh();
      await this.#sleep(TABLE_LEAST_MS, false);
      if (!this.#wanted) await this.#sleep(this.#well ? TABLE_MS : TABLE_UNWELL_MS, true);
    }
  }

  #sleep(ms: number, wakeable: boolean): Promise<void> {
    if (this.#stop.signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        this.#wake = undefined;
        resolve();
      };
      const timer = setTimeout(done, ms);
      this.#wake = () => {
        if (wakeable || this.#stop.signal.aborted) done();
      };
    });
  }

  async #refresh(): Promise<void> {
    let trouble: RedisTrouble = { fault: 'unreachable' };
    for (const server of this.#candidates()) {
      if (this.#stop.signal.aborted) return;
      try {
        const table = await this.#ask(server);
        this.#servers = table.servers;
        this.#options.read(table);
        this.#well = [...table.masters.keys()].every((master) => this.#options.isWell(master));
        return;
      } catch (error) {
        trouble = troubleOf(error) ?? { fault: 'cluster-down' };
      }
    }
    this.#well = false;
    if (!this.#stop.signal.aborted) this.#options.failed(trouble);
  }

  #candidates(): readonly HostPort[] {
    const known = this.#servers.map((server) => ({ server, order: Math.random() }));
    const shuffled = known.sort((one, other) => one.order - other.order).map(({ server }) => server);
    const wellFirst = [true, false].flatMap((well) =>
      shuffled.filter((server) => this.#options.isWell(serverKey(server)) === well),
    );
    return [...wellFirst, ...this.#options.seeds];
  }

  async #ask(server: HostPort): Promise<SlotTable> {
    const { login, limitMs } = this.#options;
    try {
      const answer = await askOnce(server, login, limitMs, this.#stop.signal, (connection) =>
        connection.call('CLUSTER', ['SLOTS']),
      );
      const table = readSlotTable(answer, server);
      if (table === undefined) throw new RedisUnavailable('cluster-down');
      return table;
    } catch (error) {
      const plain = error instanceof ErrorReply && error.fault === undefined;
      throw plain ? new RedisUnavailable('no-cluster', { cause: error, said: error.said }) : error;
    }
  }
}
