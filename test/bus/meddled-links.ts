import type { RedisLink } from '../../src/redis/redis-link.ts';

/** A link whose messages do not arrive. */
export const deaf = (link: RedisLink): RedisLink => ({
  isUp: () => link.isUp(),
  run: (script, keys, args, limitMs) => link.run(script, keys, args, limitMs),
  publish: async () => 1,
  listen: (channel, heard) => link.listen(channel, heard),
  ping: () => link.ping(),
  close: () => link.close(),
});

/** A link whose owner finds nothing when it looks at the calls that wait, gives no signs of life, and asks nothing for it. */
export const unlooking = (link: RedisLink): RedisLink => ({
  ...deaf(link),
  publish: (channel, message) => link.publish(channel, message),
  run: async (script, keys, args, limitMs) => {
    if (script.name === 'refresh') return ['waiting'];
    return script.name === 'beat' ? ['0'] : link.run(script, keys, args, limitMs);
  },
});

/** A link that finds Redis away as long as told, whatever Redis does. */
export const awayFor = (link: RedisLink, isAway: () => boolean): RedisLink => ({
  ...deaf(link),
  isUp: () => !isAway() && link.isUp(),
});
