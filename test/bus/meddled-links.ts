import type { RedisLink } from '../../src/redis/redis-link.ts';
import { RedisUnavailable } from '../../src/redis/redis-unavailable.ts';

const through = (link: RedisLink): RedisLink => ({
  isUp: () => link.isUp(),
  run: (script, keys, args, limitMs) => link.run(script, keys, args, limitMs),
  publish: (channel, message) => link.publish(channel, message),
  listen: (channel, heard) => link.listen(channel, heard),
  ping: () => link.ping(),
  close: () => link.close(),
});

/** A link whose messages do not arrive. */
export const mute = (link: RedisLink): RedisLink => ({ ...through(link), publish: async () => 1 });

/** A link that hears nothing of this kind of message. */
export const deafTo =
  (kind: string) =>
  (link: RedisLink): RedisLink => ({
    ...through(link),
    listen: (channel, heard) =>
      link.listen(channel, {
        onMessage: (text) => {
          if (!text.startsWith(`["${kind}"`)) heard.onMessage(text);
        },
        onGap: () => heard.onGap(),
        onLost: () => heard.onLost?.(),
      }),
  });

/** A link whose owner finds nothing when it looks at the calls that wait, gives no signs of life, and asks nothing for it. */
export const unlooking = (link: RedisLink): RedisLink => ({
  ...through(link),
  run: async (script, keys, args, limitMs) => {
    if (script.name === 'refresh') return ['gone'];
    return script.name === 'beat' ? ['0'] : link.run(script, keys, args, limitMs);
  },
});

/** A link whose owner finds nothing when it looks at the calls that wait before it was told so often that it may have missed messages. */
export const lookingSinceGap =
  (first: number) =>
  (link: RedisLink): RedisLink => {
    let gaps = 0;
    return {
      ...through(link),
      listen: (channel, heard) =>
        link.listen(channel, {
          onMessage: (text) => heard.onMessage(text),
          onGap: () => {
            gaps += 1;
            heard.onGap();
          },
          onLost: () => heard.onLost?.(),
        }),
      run: async (script, keys, args, limitMs) =>
        script.name === 'refresh' && gaps < first ? ['gone'] : link.run(script, keys, args, limitMs),
    };
  };

/** A link that finds Redis away as long as told, whatever Redis does. */
export const awayFor = (link: RedisLink, isAway: () => boolean): RedisLink => ({
  ...through(link),
  isUp: () => !isAway() && link.isUp(),
});

/** A link that is told of each script before it runs, and runs it when that has been heard. */
export const telling =
  (before: (script: string) => void | Promise<void>) =>
  (link: RedisLink): RedisLink => ({
    ...through(link),
    run: async (script, keys, args, limitMs) => {
      await before(script.name);
      return link.run(script, keys, args, limitMs);
    },
  });

/** A link whose first so many scripts of this name do not get to Redis. */
export const losing = (script: string, count: number) => {
  let left = count;
  return telling((name) => {
    if (name !== script || left === 0) return;
    left -= 1;
    throw new RedisUnavailable('timeout');
  });
};

/** A link that does not hear what Redis says to scripts of this name. */
export const losingReplyTo =
  (name: string) =>
  (link: RedisLink): RedisLink => ({
    ...through(link),
    run: async (script, keys, args, limitMs) => {
      const reply = await link.run(script, keys, args, limitMs);
      if (script.name === name) throw new RedisUnavailable('timeout');
      return reply;
    },
  });
