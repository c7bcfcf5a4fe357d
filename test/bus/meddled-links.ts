import { until } from '../../harness/until.ts';
import type { ChannelListener, RedisLink } from '../../src/redis/redis-link.ts';
import { RedisUnavailable } from '../../src/redis/redis-unavailable.ts';

function through(link: RedisLink): RedisLink {
  return {
    isUp: () => link.isUp(),
    trouble: () => link.trouble(),
    run: (script, keys, args, limitMs) => link.run(script, keys, args, limitMs),
    publish: (channel, message) => link.publish(channel, message),
    listen: (channel, heard) => link.listen(channel, heard),
    ping: () => link.ping(),
    close: () => link.close(),
  };
}

/** A link whose messages do not arrive. */
export function mute(link: RedisLink): RedisLink {
  return { ...through(link), publish: async () => 1 };
}

/** A link whose first message of this kind does not arrive. */
export function losingOneMessage(kind: string, lost: () => void) {
  let isLost = false;
  return (link: RedisLink): RedisLink => ({
    ...through(link),
    publish: async (channel, message) => {
      if (isLost || !message.startsWith(`["${kind}"`)) return link.publish(channel, message);
      isLost = true;
      lost();
      return 1;
    },
  });
}

/** A link that hears nothing of this kind of message. */
export function deafTo(kind: string) {
  return (link: RedisLink): RedisLink => ({
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
}

/** A link that tells of each message of this kind when its owner has heard it. */
export function hearing(kind: string, heard: () => void) {
  return (link: RedisLink): RedisLink => ({
    ...through(link),
    listen: (channel, listener) =>
      link.listen(channel, {
        onMessage: (text) => {
          listener.onMessage(text);
          if (text.startsWith(`["${kind}"`)) heard();
        },
        onGap: () => listener.onGap(),
        onLost: () => listener.onLost?.(),
      }),
  });
}

/** A link whose owner finds nothing when it looks at the calls that wait, gives no signs of life, and asks nothing for it. */
export function unlooking(link: RedisLink): RedisLink {
  return {
    ...through(link),
    run: async (script, keys, args, limitMs) => {
      if (script.name === 'refresh') return ['gone'];
      return script.name === 'beat' ? ['0'] : link.run(script, keys, args, limitMs);
    },
  };
}

/** A link that finds Redis away as long as told, whatever Redis does. */
export function awayFor(link: RedisLink, isAway: () => boolean): RedisLink {
  const unlessAway = async <T>(work: () => Promise<T>): Promise<T> => {
    if (isAway()) throw new RedisUnavailable('connecting');
    return work();
  };
  return {
    ...through(link),
    isUp: () => !isAway() && link.isUp(),
    run: (...asked) => unlessAway(() => link.run(...asked)),
    publish: (...said) => unlessAway(() => link.publish(...said)),
  };
}

/** A link that is told of each script before it runs, and runs it when that has been heard. */
export function telling(before: (script: string) => void | Promise<void>) {
  return (link: RedisLink): RedisLink => ({
    ...through(link),
    run: async (script, keys, args, limitMs) => {
      await before(script.name);
      return link.run(script, keys, args, limitMs);
    },
  });
}

/** A link that tells of each script when Redis has answered it. */
export function tellingReplies(after: (script: string) => void) {
  return (link: RedisLink): RedisLink => ({
    ...through(link),
    run: async (script, keys, args, limitMs) => {
      const reply = await link.run(script, keys, args, limitMs);
      after(script.name);
      return reply;
    },
  });
}

/** A link that hears, and whose subscription also ends and stands again when a test says so. */
export function heardAsTold() {
  const heard: ChannelListener[] = [];
  const meddle = (link: RedisLink): RedisLink => ({
    ...through(link),
    listen: (channel, listener) => {
      heard.push(listener);
      link.listen(channel, listener);
    },
  });
  return {
    meddle,
    lost: () => {
      for (const each of heard) each.onLost?.();
    },
    gap: () => {
      for (const each of heard) each.onGap();
    },
  };
}

/** A link of whose scripts it is known how often each was begun. */
export function counted() {
  const counts = new Map<string, number>();
  const of = (script: string) => counts.get(script) ?? 0;
  return { meddle: telling((script) => void counts.set(script, of(script) + 1)), of };
}

/** A link that hears what Redis says to scripts of this name, from the `from`th on, when that is released. */
export function holdingReplies(name: string, from = 1) {
  const { promise, resolve: release, reject: fail } = Promise.withResolvers<void>();
  let held = 0;
  const meddle = (link: RedisLink): RedisLink => ({
    ...through(link),
    run: async (script, keys, args, limitMs) => {
      const reply = await link.run(script, keys, args, limitMs);
      if (script.name !== name) return reply;
      held += 1;
      if (held >= from) await promise;
      return reply;
    },
  });
  return { meddle, release, fail: () => fail(new RedisUnavailable('timeout')), held: () => held };
}

/** Milliseconds in which the look that follows the beginning comes. */
const FIRST_LOOK_MS = 1_000;

/** A link of which it is known when the look at its owner's beginning is over; `over` is for when a call waits. */
export function withFirstLook() {
  let looked = false;
  return {
    meddle: telling((script) => {
      looked ||= script === 'refresh';
    }),
    over: () => {
      const since = performance.now();
      // One that came before there was a call to look at is not seen.
      const isOver = () => looked || performance.now() - since > FIRST_LOOK_MS;
      return until(isOver, 'the look at the beginning is over');
    },
  };
}

/** A link whose first so many scripts of this name do not get to Redis. */
export function losing(script: string, count: number) {
  let left = count;
  return telling((name) => {
    if (name !== script || left === 0) return;
    left -= 1;
    throw new RedisUnavailable('timeout');
  });
}

/** A link that does not hear what Redis says to scripts of this name. */
export function losingReplyTo(name: string) {
  return (link: RedisLink): RedisLink => ({
    ...through(link),
    run: async (script, keys, args, limitMs) => {
      const reply = await link.run(script, keys, args, limitMs);
      if (script.name === name) throw new RedisUnavailable('timeout');
      return reply;
    },
  });
}
