import { monotonic } from '../lib/monotonic.ts';
import { ErrorReply } from './error-reply.ts';
import type { InFlight } from './in-flight.ts';
import { probeKey, probeServer } from './probe.ts';
import type { HostPort } from './redis-address.ts';
import type { RedisEvents, RedisProbe, RedisScript } from './redis-link.ts';
import type { RedisTrouble } from './redis-unavailable.ts';
import type { Login, ServerConnection } from './server-connection.ts';
import { ServerLink } from './server-link.ts';
import { keyAt, type SlotTable, serverKey } from './slot-table.ts';

/** What links to the servers of a Cluster need. */
export interface ClusterServersOptions {
  readonly login: Login;
  readonly timeoutMs: number;
  readonly prefix: string;
  readonly scripts: readonly RedisScript[];
  readonly probe: RedisProbe | undefined;
  readonly inFlight: InFlight;
  readonly events: Pick<RedisEvents, 'redisUp' | 'redisDown' | 'shardUp' | 'shardDown'>;
  /** A server points to the slot table having changed. */
  readonly suspect: () => void;
}

/** Milliseconds that a server outside the slot table is kept after it was last redirected to. */
const STRAY_MS = 60_000;

interface Member {
  readonly link: ServerLink;
  isTold: boolean;
  usedAt: number;
}

/** A link to each master of a Cluster. The whole is up while any of them is: the calls of the others must not suffer. */
export class ClusterServers {
  readonly #options: ClusterServersOptions;
  readonly #members = new Map<string, Member>();
  readonly #closing = new Set<Promise<void>>();
  #table: SlotTable | undefined;
  #up = false;
  #told = false;
  #trouble: RedisTrouble = { fault: 'connecting' };

  constructor(options: ClusterServersOptions) {
    this.#options = options;
  }

  /** Why all of them are down; undefined while any is up. */
  get trouble(): RedisTrouble | undefined {
    return this.#up ? undefined : this.#trouble;
  }

  links(): readonly ServerLink[] {
    return [...this.#members.values()].map(({ link }) => link);
  }

  /** The link to a server of the Cluster; a new one where the slot table did not name it. */
  at(server: HostPort): ServerLink {
    const key = serverKey(server);
    const member = this.#members.get(key) ?? this.#add(server);
    member.usedAt = monotonic();
    return member.link;
  }

  isWell(key: string): boolean {
    const link = this.#members.get(key)?.link;
    return link !== undefined && link.trouble === undefined;
  }

  /** Follows a new slot table: links to new masters, none to those that are none any more. */
  follow(table: SlotTable): void {
    this.#table = table;
    for (const [key, server] of table.masters) if (!this.#members.has(key)) this.#add(server);
    const recently = monotonic() - STRAY_MS;
    for (const [key, member] of this.#members) {
      if (!table.masters.has(key) && member.usedAt < recently) this.#remove(key, member);
    }
    this.#tell();
  }

  /** Nobody told a slot table. */
  unknown(trouble: RedisTrouble): void {
    if (this.#members.size > 0) return;
    this.#trouble = trouble;
    this.#tell();
  }

  async close(): Promise<void> {
    await Promise.all([...this.links().map((link) => link.close()), ...this.#closing]);
  }

  #add(server: HostPort): Member {
    const key = serverKey(server);
    const { login, timeoutMs, inFlight, scripts } = this.#options;
    const link = new ServerLink({
      find: async () => server,
      login,
      timeoutMs,
      inFlight,
      scripts,
      probe: (connection) => this.#probe(key, connection),
      changed: (trouble) => this.#changed(key, trouble),
    });
    const member = { link, isTold: false, usedAt: Number.NEGATIVE_INFINITY };
    this.#members.set(key, member);
    return member;
  }

  #remove(key: string, member: Member): void {
    this.#members.delete(key);
    if (member.isTold) this.#options.events.shardUp({ server: key });
    const closed = member.link.close().finally(() => this.#closing.delete(closed));
    this.#closing.add(closed);
  }

  /** A server without slots, or with other slots than we think, works nevertheless. */
  async #probe(key: string, connection: ServerConnection): Promise<void> {
    const written = this.#table && keyAt(this.#table, key, probeKey(this.#options));
    try {
      if (written === undefined) await connection.call('PING');
      else await probeServer(connection, this.#options, written, 'SPUBLISH');
    } catch (error) {
      if (!(error instanceof ErrorReply) || error.redirect === undefined) throw error;
      this.#options.suspect();
    }
  }

  #changed(key: string, trouble: RedisTrouble | undefined): void {
    const member = this.#members.get(key);
    const { events, suspect } = this.#options;
    // A server that left the table is nobody's concern any more.
    if (member === undefined) return;
    if (trouble === undefined) {
      if (member.isTold) events.shardUp({ server: key });
      member.isTold = false;
    } else {
      this.#trouble = trouble;
      member.isTold = true;
      events.shardDown({ ...trouble, server: key });
      suspect();
    }
    this.#tell();
  }

  #tell(): void {
    const links = this.links();
    const up = links.some(({ trouble }) => trouble === undefined);
    const undecided = !up && links.some(({ trouble }) => trouble?.fault === 'connecting');
    const changed = up !== this.#up || !this.#told;
    this.#up = up;
    if (!changed || undecided) return;
    this.#told = true;
    if (up) this.#options.events.redisUp();
    else this.#options.events.redisDown(this.#trouble);
  }
}
