import { busScript } from './bus-script.ts';

/**
 * KEYS the roll, a sorted set of instances by the time (of Redis) of their last sign of life; ARGV instance, milliseconds
 * after which one counts as silent, milliseconds after which it is forgotten. Replies how many are silent.
 */
export const BEAT = busScript(
  'beat',
  `
local now, remembered = clock(), tonumber(ARGV[3])
redis.call('ZADD', KEYS[1], now, ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - remembered)
redis.call('PEXPIRE', KEYS[1], remembered)
return { tostring(redis.call('ZCOUNT', KEYS[1], '-inf', now - tonumber(ARGV[2]))) }
`,
);

/** KEYS the roll; ARGV instance. */
export const SIGN_OFF = busScript(
  'sign-off',
  `
redis.call('ZREM', KEYS[1], ARGV[1])
return { 'done' }
`,
);
