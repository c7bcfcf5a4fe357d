import type { WaitingRoom } from '../../calls/waiting-room.ts';
import type { RedisLink } from '../../redis/redis-link.ts';
import type { BusEvents } from './bus-events.ts';

/** What the bus of several instances is built on. */
export interface RedisBusOptions {
  readonly link: RedisLink;
  readonly room: Pick<WaitingRoom, 'answer' | 'cancel' | 'find' | 'endingOf' | 'rekey' | 'newKey'>;
  /** What every key and channel begins with. */
  readonly prefix: string;
  /** Milliseconds for one command. */
  readonly timeoutMs: number;
  /** New calls are refused while Redis does not answer, instead of being waited for by this instance alone. */
  readonly required: boolean;
  /** Milliseconds between two looks at the calls that wait. */
  readonly lookEveryMs: number;
  readonly events: BusEvents;
}
