--[==[
Begin, keep, finish or give up a rebuild of one route's lanes from Postgres.

Without an epoch nothing is claimed and ordinary pushes are refused, so whoever holds the lock fills the lanes
alone. Claims start again one horizon after the loss was seen: what was granted before cannot meet, within a
second, what is granted after. Whatever a rebuild does, it does only while the lock has its epoch. A lock
that is no hash, or that does not run out, is none of ours.

KEYS[1]   {r:<route>}
ARGV[1]   'begin', 'keep', 'finish' or 'give_up'
ARGV[2]   the new epoch's id
ARGV[3]   begin, keep: milliseconds the lock lives from now on; finish: the horizon in us
ARGV[4]   begin, finish: the time in us, '' for Redis's own (tests inject it)
ARGV[5]   begin: the epoch of an attempt of the caller's that ended without giving its lock back, '' for none

Returns {done}: 1, or 0 when another rebuild holds the lock (begin) or this one has lost it.
]==]

local lock, epoch = KEYS[1] .. ':rebuild', KEYS[1] .. ':epoch'
local what, id = ARGV[1], ARGV[2]

local function now_us()
  if ARGV[4] ~= '' then
    return ARGV[4]
  end
  local time = redis.call('TIME')
  return string.format('%.0f', tonumber(time[1]) * 1000000 + tonumber(time[2]))
end

if redis.call('TYPE', lock).ok ~= 'hash' or redis.call('PTTL', lock) < 0 then
  redis.call('DEL', lock)
end
local holder = redis.call('HGET', lock, 'epoch')

if what == 'begin' then
  if holder and holder ~= ARGV[5] then
    return { 0 }
  end
  redis.call('HSET', lock, 'epoch', id, 'begun', now_us())
  redis.call('PEXPIRE', lock, ARGV[3])
  redis.call('DEL', epoch)
  return { 1 }
end

if holder ~= id then
  return { 0 }
end
if what == 'keep' then
  redis.call('PEXPIRE', lock, ARGV[3])
  return { 1 }
end
if what == 'finish' then
  local opens = tonumber(redis.call('HGET', lock, 'begun')) + tonumber(ARGV[3])
  redis.call('HSET', epoch, 'id', id, 'opens', string.format('%.0f', opens))
end
redis.call('DEL', lock)
return { 1 }
