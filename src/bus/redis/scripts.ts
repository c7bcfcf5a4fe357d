import type { RedisScript } from '../../redis/redis-link.ts';
import { busScript } from './bus-script.ts';
import { BEAT, SIGN_OFF } from './heartbeat-scripts.ts';

/*
 * What Redis knows of calls. A call is named by the PBX's call_id, or by its unique key where the PBX gave none. Under
 * that name there is one hash (`call:{name}`) with, for each account that the call rings, the fields
 *
 *   ACCOUNT:s  state: `waiting`, or the outcome that ended it
 *   ACCOUNT:u  unique key that its pushes carry
 *   ACCOUNT:t  turn: tells it apart from earlier and later calls with the same unique key
 *   ACCOUNT:d  deadline of its wait, milliseconds of the clock of Redis
 *   ACCOUNT:o  owner: the instance that wakes the phone
 *   ACCOUNT:w  waiters: the instances whose PBX waits, separated by spaces
 *   ACCOUNT:r  reason of the end
 *   ACCOUNT:n  the account of the next call of the name that waits, `:b` of the one before; only while it waits
 *   first      the account of the first of these
 *   key        the account that an answer to the bare name is for, the first one that the name rang
 *   to         ACCOUNT NAME of the call that an answer to the bare name is for, where that is a unique key of its own
 *
 * They end by themselves some minutes after the call. Every script has one key: while a Cluster moves a slot it refuses
 * commands with several of which one does not exist.
 */

/**
 * KEYS call:{name}; ARGV account, instance, unique key, turn, how the name leads to the call (`unique`: it is the unique
 * key; `also`: the app may answer to it as well; `no`), milliseconds left, milliseconds to keep, most waiters. Replies `ours
 * UNIQUE TURN`, `shared UNIQUE TURN LEFT OWNER`, `answered OUTCOME REASON`, `rekey` (the name is another account's unique
 * key) or `crowded`.
 */
export const CLAIM = busScript(
  'claim',
  `
local hash, account, me, unique, turn, named = KEYS[1], ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local left, most = tonumber(ARGV[6]), tonumber(ARGV[8])
local now = clock()
local known = read(hash, account)
local waiters = me
local goesOn = waiting(known, now)
if known and now <= known.deadline and answered(known.state) then
  return { 'answered', known.state, known.reason }
end
if goesOn then
  waiters = add(known.waiters, me)
  if known.owner ~= me and known.waiters ~= '' then
    local _, count = string.gsub(waiters, '%S+', '')
    if count > most then return { 'crowded' } end
    redis.call('HSET', hash, account .. ':w', waiters)
    return { 'shared', known.unique, known.turn, known.deadline - now, known.owner }
  end
  unique, turn = known.unique, known.turn
end
local taken = takenBy(hash, account)
if taken and named == 'unique' and not goesOn then return { 'rekey' } end
if not taken and named ~= 'no' then redis.call('HSET', hash, 'key', account) end
redis.call('HSET', hash, account .. ':s', 'waiting', account .. ':u', unique, account .. ':d', now + left,
  account .. ':o', me, account .. ':w', waiters, account .. ':r', '', account .. ':t', turn)
begin(hash, account)
keep(hash, left + tonumber(ARGV[7]))
return { 'ours', unique, turn }
`,
);

/** KEYS call:{unique key}; ARGV `ACCOUNT NAME`, milliseconds to keep. */
export const POINT = busScript(
  'point',
  `
redis.call('HSET', KEYS[1], 'to', ARGV[1])
keep(KEYS[1], tonumber(ARGV[2]))
return { 'done' }
`,
);

/**
 * KEYS call:{key}; ARGV outcome, account and unique key, or nothing where they are not known yet. An earlier call of the
 * same name has another unique key: an answer to it is late. Replies `taken UNIQUE WAITERS OUTCOME`, `duplicate UNIQUE
 * WAITERS OUTCOME` with what was answered first, `elsewhere ACCOUNT NAME`, `late` or `unknown`.
 */
export const ANSWER = busScript(
  'answer',
  `
local hash, outcome, account, unique = KEYS[1], ARGV[1], ARGV[2], ARGV[3]
if account == '' then
  account = redis.call('HGET', hash, 'key')
  if not account then
    local to = redis.call('HGET', hash, 'to')
    if to then return { 'elsewhere', string.match(to, '^(%S+) (.*)$') } end
    return { 'unknown' }
  end
end
local known = read(hash, account)
if not known then return { 'unknown' } end
if unique ~= '' and unique ~= known.unique then return { 'late' } end
local inTime = clock() <= known.deadline
if known.state == 'waiting' and inTime then
  finish(hash, account, outcome)
  return { 'taken', known.unique, known.waiters, outcome }
end
if answered(known.state) and inTime then return { 'duplicate', known.unique, known.waiters, known.state } end
return { 'late' }
`,
);

/**
 * KEYS call:{name}; ARGV account, instance, unique key, turn, outcome, reason, `end` or `leave`. To end is to end it for
 * everybody; to leave is to wait no longer. Replies `decided OUTCOME REASON` where it has ended already, `ended OTHERS`,
 * `handed-over OWNER`, `left`, or `gone` where it is not this call that is known so: another one, that began later or that
 * Redis remembers from before.
 */
export const END = busScript(
  'end',
  `
local hash, account, me, unique, turn, outcome = KEYS[1], ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local known = read(hash, account)
if not known or known.unique ~= unique then return { 'gone' } end
if known.state ~= 'waiting' and known.turn == turn then return { 'decided', known.state, known.reason } end
if known.state ~= 'waiting' or not has(known.waiters, me) then return { 'gone' } end
local others = without(known.waiters, me)
if ARGV[7] == 'end' or (answered(outcome)) or (others == '' and outcome == 'caller-gone') then
  finish(hash, account, outcome, account .. ':r', ARGV[6], account .. ':w', '')
  return { 'ended', others }
end
local owner = known.owner
if owner == me then owner = string.match(others, '%S+') or '' end
redis.call('HSET', hash, account .. ':w', others, account .. ':o', owner)
if known.owner ~= me or owner == '' then return { 'left' } end
return { 'handed-over', owner }
`,
);

/** KEYS call:{name}; ARGV reason. Replies with UNIQUE and WAITERS of every call under the name that this has ended. */
export const CANCEL = busScript(
  'cancel',
  `
local hash, now, ended = KEYS[1], clock(), {}
local account = redis.call('HGET', hash, 'first') or ''
while account ~= '' do
  local known = read(hash, account)
  local after = redis.call('HGET', hash, account .. ':n') or ''
  if waiting(known, now) then
    finish(hash, account, 'cancelled', account .. ':r', ARGV[1], account .. ':w', '')
    ended[#ended + 1] = known.unique
    ended[#ended + 1] = known.waiters
  end
  account = after
end
return ended
`,
);

/**
 * KEYS call:{name}; ARGV account, instance, unique key, turn, owner that fell silent or left, milliseconds left. That one stays
 * among the waiters: it may have stood still only. Replies `ours`, `owned OWNER` where another one was faster, `decided
 * OUTCOME REASON` or `gone`.
 */
export const TAKE_OVER = busScript(
  'take-over',
  `
local hash, account, me, unique = KEYS[1], ARGV[1], ARGV[2], ARGV[3]
local known = read(hash, account)
if not known or known.unique ~= unique then return { 'gone' } end
if known.state ~= 'waiting' then
  if known.turn ~= ARGV[4] then return { 'gone' } end
  return { 'decided', known.state, known.reason }
end
if known.owner ~= ARGV[5] and known.owner ~= '' and known.owner ~= me then return { 'owned', known.owner } end
redis.call('HSET', hash, account .. ':o', me, account .. ':w', add(known.waiters, me),
  account .. ':d', clock() + tonumber(ARGV[6]))
return { 'ours' }
`,
);

/**
 * KEYS call:{name}; ARGV account, instance, unique key, turn, 1 where this instance wakes the phone, 1 where Redis has not
 * confirmed to know the call, how the name leads to the call (as for CLAIM), milliseconds left, milliseconds to keep. A
 * call that Redis has lost takes the place of another one that is over. The deadline is written anew where it comes too
 * early: the server that took over from another has a clock of its own. Replies `waiting TURN`, `decided OUTCOME REASON` or `gone`.
 */
export const REFRESH = busScript(
  'refresh',
  `
local hash, account, me, unique, turn = KEYS[1], ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local left, now = tonumber(ARGV[8]), clock()
local known = read(hash, account)
if known and known.unique == unique and known.state == 'waiting' then
  if not has(known.waiters, me) then redis.call('HSET', hash, account .. ':w', add(known.waiters, me)) end
  if known.deadline < now + left then redis.call('HSET', hash, account .. ':d', now + left) end
  return { 'waiting', known.turn }
end
local answeredBefore = ARGV[6] == '1' and known and answered(known.state) and now <= known.deadline
if known and (known.turn == turn or answeredBefore) then return { 'decided', known.state, known.reason } end
if ARGV[5] ~= '1' or waiting(known, now) then return { 'gone' } end
if ARGV[7] ~= 'no' and not takenBy(hash, account) then redis.call('HSET', hash, 'key', account) end
redis.call('HSET', hash, account .. ':s', 'waiting', account .. ':u', unique, account .. ':d', now + left,
  account .. ':o', me, account .. ':w', me, account .. ':r', '', account .. ':t', turn)
begin(hash, account)
keep(hash, left + tonumber(ARGV[9]))
return { 'waiting', turn }
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
