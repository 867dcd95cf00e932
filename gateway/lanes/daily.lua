--[==[
Bring a day's counters up to what Postgres knows of the day.

A counter that was lost with Redis's memory comes back; parts that receipts say went to carriers which do not
count them are given back. Neither number ever falls: what was granted a moment ago is not in Postgres yet.

ARGV[1]   the day, counted from 1970
ARGV[2]   ms that the counters live
ARGV[3]   the time in us, '' for Redis's own (tests inject it)
ARGV[4]   how many caps follow, three each: name, parts, parts elsewhere
then the channels that count towards them, 18 bytes each

Returns {changed}: how many counters were raised.
]==]

local FIRST = 5
local day, life_ms, caps = ARGV[1], ARGV[2], tonumber(ARGV[4])
local changed = 0

local function raise(name, parts)
  local known = tonumber(redis.call('GET', key(name)) or 0)
  if tonumber(parts) > known then
    redis.call('SET', key(name), parts, 'PX', life_ms)
    changed = changed + 1
  end
end

for at = FIRST, FIRST + 3 * caps - 1, 3 do
  raise('d:' .. ARGV[at] .. ':' .. day, ARGV[at + 1])
  raise('x:' .. ARGV[at] .. ':' .. day, ARGV[at + 2])
end
if changed > 0 then
  local now = lane_clock(ARGV[3])
  for at = FIRST + 3 * caps, #ARGV do
    for priority = 0, 2 do
      redis.call('ZADD', key('ready:' .. priority), 'XX', 'LT', whole(now), ARGV[at])
    end
  end
  wake_one()
end
return { changed }
