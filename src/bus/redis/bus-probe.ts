import type { RedisProbe, RedisScript } from '../../redis/redis-link.ts';

/**
 * KEYS call:probe…: calls every command that the other scripts call, on a hash and then, as the instances are kept, on a
 * sorted set. A key ends with its last field and its last member. Redis 7 does not say which command it refuses to a
 * script: the probe adds it.
 */
const PROBE: RedisScript = {
  name: 'probe',
  lua: `
local key = KEYS[1]
local commands = {
  { 'TIME' },
  { 'HSET', key, 'probe', 'waiting' },
  { 'HGET', key, 'probe' },
  { 'HMGET', key, 'probe' },
  { 'HEXISTS', key, 'probe' },
  { 'PTTL', key },
  { 'PEXPIRE', key, 10000 },
  { 'HDEL', key, 'probe' },
  { 'ZADD', key, 1, 'probe' },
  { 'ZREMRANGEBYSCORE', key, '-inf', 0 },
  { 'ZCOUNT', key, '-inf', 1 },
  { 'ZREM', key, 'probe' },
}
for _, command in ipairs(commands) do
  local reply = redis.pcall(unpack(command))
  if type(reply) == 'table' and reply.err then
    return redis.error_reply(string.sub(reply.err, 1, 120) .. ' (' .. command[1] .. ')')
  end
end
return { 'done' }
`,
};

/** What a server must do for the bus: run its scripts on the keys of calls, and pass on messages between instances. */
export function busProbe(prefix: string): RedisProbe {
  return { script: PROBE, key: `${prefix}call:probe`, channel: `${prefix}instance:` };
}
