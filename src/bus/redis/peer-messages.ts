import type { RedisLink } from '../../redis/redis-link.ts';
import { type BusMessage, encodeMessage } from './bus-message.ts';
import type { CallKeys } from './call-keys.ts';

/** Messages to other instances. */
export class PeerMessages {
  readonly #link: Pick<RedisLink, 'publish'>;
  readonly #keys: CallKeys;

  constructor(link: Pick<RedisLink, 'publish'>, keys: CallKeys) {
    this.#link = link;
    this.#keys = keys;
  }

  /** Sends a message. Resolves with false where nobody heard it, and with undefined where Redis could not be asked. */
  async send(instance: string, message: BusMessage): Promise<boolean | undefined> {
    try {
      return (await this.#link.publish(this.#keys.channel(instance), encodeMessage(message))) > 0;
    } catch {
      // The link has told of it; whoever waits for the message looks for itself.
      return undefined;
    }
  }
}
