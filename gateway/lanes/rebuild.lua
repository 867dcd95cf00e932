--[==[
Begin or finish a rebuild of one route's lanes from Postgres.

Without an epoch nothing is claimed and ordinary pushes are refused, so whoever holds the lock fills the lanes
alone. Claims start again one horizon after the loss was seen: what was granted before cannot meet, within a
second, what is granted after.

KEYS[1]   {r:<route>}
ARGV[1]   'begin' or 'finish'
ARGV[2]   the new epoch's id
ARGV[3]   begin: milliseconds the lock lives; finish: the horizon in us
ARGV[4]   the time in us, '' for Redis's own (tests inject it)

Returns {done}: 1, or 0 when another rebuild holds the lock (begin) or this one has lost it (finish).
]==]

local lock, epoch = KEYS[1] .. ':rebuild', KEYS[1] .. ':epoch'

local function now_us()
  if ARGV[4] ~= '' then
    return ARGV[4]
  end
  local time = redis.call('TIME')
  return string.format('%.0f', tonumber(time[1]) * 1000000 + tonumber(time[2]))
end

if ARGV[1] == 'begin' then
  if redis.call('HSETNX', lock, 'epoch', ARGV[2]) == 0 then
    return { 0 }
  end
  redis.call('HSET', lock, 'begun', now_us())
  redis.call('PEXPIRE', lock, ARGV[3])
  redis.call('DEL', epoch)
  return { 1 }
end

if redis.call('HGET', lock, 'epoch') ~= ARGV[2] then
  return { 0 }
end
local opens = tonumber(redis.call('HGET', lock, 'begun')) + tonumber(ARGV[3])
redis.call('HSET', epoch, 'id', ARGV[2], 'opens', string.format('%.0f', opens))
redis.call('DEL', lock)
return { 1 }
