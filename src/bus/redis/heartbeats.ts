import type { RedisLink } from '../../redis/redis-link.ts';
import { RedisUnavailable } from '../../redis/redis-unavailable.ts';
import type { BusEvents } from './bus-events.ts';
import { words } from './bus-message.ts';
import type { CallKeys } from './call-keys.ts';
import { BEAT, SIGN_OFF } from './heartbeat-scripts.ts';

/** Milliseconds between two signs of life. */
const BEAT_MS = 500;
/** Milliseconds without one after which an instance counts as silent: two may be lost or late. */
const SILENT_MS = 1_250;
/** Milliseconds for which a silent instance is remembered: the longest that a call may wait. */
const REMEMBERED_MS = 60_000;

/** What heartbeats need. */
export interface HeartbeatsDeps {
  readonly link: Pick<RedisLink, 'run'>;
  readonly keys: Pick<CallKeys, 'heartbeats'>;
  readonly instance: string;
  /** Whether Redis knows of every call that waits here. */
  readonly allKnown: () => boolean;
  readonly events: Pick<BusEvents, 'busFailed'>;
}

/**
 * The instances that use this Redis, by their signs of life there; one gives none while it holds calls that Redis may not
 * know of. One that fell silent without signing off may still live and take calls, behind a network that is cut:
 * until it is heard again, or for a minute, nobody can say of a key that no call has it.
 */
export class Heartbeats {
  readonly #deps: HeartbeatsDeps;
  readonly #timer: NodeJS.Timeout;
  #silent = 0;

  constructor(deps: HeartbeatsDeps) {
    this.#deps = deps;
    this.#timer = setInterval(() => void this.#giveSign(), BEAT_MS);
  }

  /** Whether an instance that did not sign off was not heard of lately, as of this one's last sign of life. */
  someAreSilent(): boolean {
    return this.#silent > 0;
  }

  /** Signs off: the calls that waited here have ended. Never rejects. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#run(SIGN_OFF, []);
  }

  async #giveSign(): Promise<void> {
    if (!this.#deps.allKnown()) return;
    const reply = await this.#run(BEAT, [SILENT_MS, REMEMBERED_MS]);
    if (reply !== undefined) this.#silent = Number(reply[0]);
  }

  async #run(
    script: typeof BEAT,
    args: readonly (string | number)[],
  ): Promise<readonly string[] | undefined> {
    const { link, keys, instance, events } = this.#deps;
    try {
      return words(await link.run(script, [keys.heartbeats()], [instance, ...args]));
    } catch (error) {
      // The link has told of it where Redis is away.
      if (!(error instanceof RedisUnavailable)) events.busFailed({ during: script.name, error });
      return undefined;
    }
  }
}
