import type { RedisScript } from '../../redis/redis-link.ts';

/*
 * What Redis knows of calls. A call is named by the PBX's call_id, or by its unique key where the PBX gave none. Under
 * that name there is one hash (`call:{name}`) with, for each account that the call rings, the fields
 *
 *   ACCOUNT:s  state: `waiting`, or the outcome that ended it
 *   ACCOUNT:u  unique key that its pushes carry
 *   ACCOUNT:d  deadline of its wait, milliseconds of the clock of Redis
 *   ACCOUNT:o  owner: the instance that wakes the phone
 *   ACCOUNT:w  waiters: the instances whose PBX waits, separated by spaces
 *   ACCOUNT:r  reason of the end
 *   key        the account that an answer to the bare name is for, the first one that the name rang
 *
 * and, where a unique key is not the name, one string (`key:{unique key}`) with `ACCOUNT NAME`. Both have one hash tag
 * per script, so a Cluster takes them, and end by themselves some minutes after the call.
 */

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
  local r = redis.call('HMGET', hash, account .. ':s', account .. ':u', account .. ':d', account .. ':o', account .. ':w', account .. ':r')
  if not r[1] then return nil end
  return { state = r[1], unique = r[2], deadline = tonumber(r[3]), owner = r[4], waiters = r[5], reason = r[6] }
end
local function answered(state)
  return state == 'ready' or state == 'declined'
end
local function keep(key, ms)
  if redis.call('PTTL', key) < ms then redis.call('PEXPIRE', key, ms) end
end
`;

const script = (name: string, body: string): RedisScript => ({ name, lua: `${COMMON}${body}` });

/**
 * KEYS call:{name}; ARGV account, instance, unique key, 1 where that is the name, milliseconds left, milliseconds to
 * keep, most waiters. Replies `ours UNIQUE`, `shared UNIQUE LEFT OWNER`, `answered OUTCOME REASON`, `rekey` (the name is
 * another account's unique key) or `crowded`.
 */
export const CLAIM = script(
  'claim',
  `
local hash, account, me, unique, named = KEYS[1], ARGV[1], ARGV[2], ARGV[3], ARGV[4] == '1'
local left, most = tonumber(ARGV[5]), tonumber(ARGV[7])
local now = clock()
local known = read(hash, account)
local waiters = me
if known and now <= known.deadline then
  if answered(known.state) then return { 'answered', known.state, known.reason } end
  if known.state == 'waiting' then
    waiters = add(known.waiters, me)
    if known.owner ~= me and known.waiters ~= '' then
      local _, count = string.gsub(waiters, '%S+', '')
      if count > most then return { 'crowded' } end
      redis.call('HSET', hash, account .. ':w', waiters)
      return { 'shared', known.unique, known.deadline - now, known.owner }
    end
    unique = known.unique
  end
end
local holder = redis.call('HGET', hash, 'key')
-- Also when its call is over: a late answer to it must not be one to this call.
local held = holder and holder ~= account and read(hash, holder) ~= nil
if held and named and not (known and unique == known.unique) then return { 'rekey' } end
if not held then redis.call('HSET', hash, 'key', account) end
redis.call('HSET', hash, account .. ':s', 'waiting', account .. ':u', unique, account .. ':d', now + left,
  account .. ':o', me, account .. ':w', waiters, account .. ':r', '')
keep(hash, left + tonumber(ARGV[6]))
return { 'ours', unique }
`,
);

/** KEYS key:{unique key}; ARGV `ACCOUNT NAME`, milliseconds to keep. */
export const POINT = script(
  'point',
  `
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return { 'done' }
`,
);

/**
 * KEYS call:{key}, key:{key}; ARGV outcome, account or nothing where it is not known yet. Replies `taken UNIQUE
 * WAITERS`, `elsewhere "ACCOUNT NAME"`, `duplicate`, `late` or `unknown`.
 */
export const ANSWER = script(
  'answer',
  `
local hash, outcome, account = KEYS[1], ARGV[1], ARGV[2]
if account == '' then
  account = redis.call('HGET', hash, 'key')
  if not account then
    local pointer = redis.call('GET', KEYS[2])
    if pointer then return { 'elsewhere', pointer } end
    return { 'unknown' }
  end
end
local known = read(hash, account)
if not known then return { 'unknown' } end
local inTime = clock() <= known.deadline
if known.state == 'waiting' and inTime then
  redis.call('HSET', hash, account .. ':s', outcome)
  return { 'taken', known.unique, known.waiters }
end
if answered(known.state) and inTime then return { 'duplicate' } end
return { 'late' }
`,
);

/**
 * KEYS call:{name}; ARGV account, instance, unique key, outcome, reason, `end` or `leave`. To end is to end it for
 * everybody; to leave is to wait no longer. Replies `decided OUTCOME REASON` where it has ended already, `ended OTHERS`,
 * `left NEW-OWNER` or `gone`.
 */
export const END = script(
  'end',
  `
local hash, account, me, unique, outcome, reason = KEYS[1], ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local known = read(hash, account)
if not known or known.unique ~= unique then return { 'gone' } end
if known.state ~= 'waiting' then return { 'decided', known.state, known.reason } end
local others = without(known.waiters, me)
if ARGV[6] == 'end' or (answered(outcome)) or (others == '' and outcome == 'caller-gone') then
  redis.call('HSET', hash, account .. ':s', outcome, account .. ':r', reason, account .. ':w', '')
  return { 'ended', others }
end
local owner = known.owner
if owner == me then owner = string.match(others, '%S+') or '' end
redis.call('HSET', hash, account .. ':w', others, account .. ':o', owner)
return { 'left', known.owner == me and owner or '' }
`,
);

/** KEYS call:{name}; ARGV reason. Replies with UNIQUE and WAITERS of every call under the name that this has ended. */
export const CANCEL = script(
  'cancel',
  `
local hash, now, ended = KEYS[1], clock(), {}
for _, field in ipairs(redis.call('HKEYS', hash)) do
  local account = string.match(field, '^(%d+):s$')
  local known = account and read(hash, account)
  if known and known.state == 'waiting' and now <= known.deadline then
    redis.call('HSET', hash, account .. ':s', 'cancelled', account .. ':r', ARGV[1], account .. ':w', '')
    ended[#ended + 1] = known.unique
    ended[#ended + 1] = known.waiters
  end
end
return ended
`,
);

/**
 * KEYS call:{name}; ARGV account, instance, unique key, owner that fell silent, milliseconds left. Replies `ours`,
 * `owned OWNER` where another one was faster, `decided OUTCOME REASON` or `gone`.
 */
export const TAKE_OVER = script(
  'take-over',
  `
local hash, account, me, unique = KEYS[1], ARGV[1], ARGV[2], ARGV[3]
local known = read(hash, account)
if not known or known.unique ~= unique then return { 'gone' } end
if known.state ~= 'waiting' then return { 'decided', known.state, known.reason } end
if known.owner ~= ARGV[4] and known.owner ~= '' then return { 'owned', known.owner } end
local waiters = add(without(known.waiters, ARGV[4]), me)
redis.call('HSET', hash, account .. ':o', me, account .. ':w', waiters, account .. ':d', clock() + tonumber(ARGV[5]))
return { 'ours' }
`,
);

/**
 * KEYS call:{name}; ARGV account, instance, unique key, 1 where this instance is the owner, 1 where the unique key is the
 * name, milliseconds left, milliseconds to keep. Replies `waiting`, `restored` where Redis had lost the call, `decided
 * OUTCOME REASON` or `gone`.
 */
export const REFRESH = script(
  'refresh',
  `
local hash, account, me, unique = KEYS[1], ARGV[1], ARGV[2], ARGV[3]
local left = tonumber(ARGV[6])
local known = read(hash, account)
if known and known.unique == unique then
  if known.state ~= 'waiting' then return { 'decided', known.state, known.reason } end
  if not has(known.waiters, me) then redis.call('HSET', hash, account .. ':w', add(known.waiters, me)) end
  return { 'waiting' }
end
if known or ARGV[4] ~= '1' then return { 'gone' } end
local holder = redis.call('HGET', hash, 'key')
if not holder then redis.call('HSET', hash, 'key', account) end
redis.call('HSET', hash, account .. ':s', 'waiting', account .. ':u', unique, account .. ':d', clock() + left,
  account .. ':o', me, account .. ':w', me, account .. ':r', '')
keep(hash, left + tonumber(ARGV[7]))
return { 'restored' }
`,
);

/**
 * KEYS the roll, a sorted set of instances by the time (of Redis) of their last sign of life; ARGV instance, milliseconds
 * after which one counts as silent, milliseconds after which it is forgotten. Replies how many are silent.
 */
export const BEAT = script(
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
export const SIGN_OFF = script(
  'sign-off',
  `
redis.call('ZREM', KEYS[1], ARGV[1])
return { 'done' }
`,
);

/** Every script of the bus, to be made known to a server beforehand. */
export const BUS_SCRIPTS: readonly RedisScript[] = [
  CLAIM,
  POINT,
  ANSWER,
  END,
  CANCEL,
  TAKE_OVER,
  REFRESH,
  BEAT,
  SIGN_OFF,
];
