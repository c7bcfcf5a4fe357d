import type { RedisScript } from '../../redis/redis-link.ts';

const COMMON = `
local function clock()
  local t = redis.call('TIME')
  return t[1] * 1000 + math.floor(t[2] / 1000)
end
local function has(list, id)
  return string.find(' ' .. list .. ' ', ' ' .. id .. ' ', 1, true) ~= nil
end
local function add(list, id)
  if has(list, id) then return list end
  if list == '' then return id end
  return list .. ' ' .. id
end
local function without(list, id)
  local rest = {}
  for each in string.gmatch(list, '%S+') do
    if each ~= id then rest[#rest + 1] = each end
  end
  return table.concat(rest, ' ')
end
local function read(hash, account)
  local r = redis.call('HMGET', hash, account .. ':s', account .. ':u', account .. ':d', account .. ':o', account .. ':w', account .. ':r',
    account .. ':t')
  if not r[1] then return nil end
  return { state = r[1], unique = r[2], deadline = tonumber(r[3]), owner = r[4], waiters = r[5], reason = r[6], turn = r[7] or '' }
end
local function answered(state)
  return state == 'ready' or state == 'declined'
end
local function waiting(call, now)
  return call ~= nil and call.state == 'waiting' and now <= call.deadline
end
-- Also when its call is over: a late answer to it must not be one to the call of another account.
local function takenBy(hash, account)
  local holder = redis.call('HGET', hash, 'key')
  return holder and holder ~= account and read(hash, holder) ~= nil
end
-- The calls of one name that wait form a list through the hash: ending all of them costs nothing for those that are over.
local function begin(hash, account)
  if redis.call('HEXISTS', hash, account .. ':n') == 1 then return end
  local first = redis.call('HGET', hash, 'first') or ''
  redis.call('HSET', hash, 'first', account, account .. ':n', first, account .. ':b', '')
  if first ~= '' then redis.call('HSET', hash, first .. ':b', account) end
end
local function finish(hash, account, ...)
  redis.call('HSET', hash, account .. ':s', ...)
  local link = redis.call('HMGET', hash, account .. ':n', account .. ':b')
  if not link[1] then return end
  if link[2] == '' then redis.call('HSET', hash, 'first', link[1]) else redis.call('HSET', hash, link[2] .. ':n', link[1]) end
  if link[1] ~= '' then redis.call('HSET', hash, link[1] .. ':b', link[2]) end
  redis.call('HDEL', hash, account .. ':n', account .. ':b')
end
local function keep(key, ms)
  if redis.call('PTTL', key) < ms then redis.call('PEXPIRE', key, ms) end
end
`;

/** A script of the bus: `body` behind the functions that all of them share. */
export function busScript(name: string, body: string): RedisScript {
  return { name, lua: `${COMMON}${body}` };
}
