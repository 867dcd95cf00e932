--[==[
Bring a day's counters up to what Postgres knows of the day.

A counter that was lost with Redis's memory comes back; parts that receipts say went to carriers which do not
count them are given back. Neither number ever falls: what was granted a moment ago is not in Postgres yet.

ARGV[1]   ms that the counters live
ARGV[2]   the time in us, '' for Redis's own (tests inject it)
ARGV[3]   how many caps follow, four each: name, its day counted from 1970, parts, parts elsewhere
then the channels that count towards them, 18 bytes each

Returns {changed}: how many counters were raised.
]==]

local FIRST, PER_CAP = 4, 4
local life_ms, caps = ARGV[1], tonumber(ARGV[3])
local changed = 0

local function raise(name, parts)
  local known = tonumber(redis.call('GET', key(name)) or 0)
  if tonumber(parts) > known then
    redis.call('SET', key(name), parts, 'PX', life_ms)
    changed = changed + 1
  end
end

for at = FIRST, FIRST + PER_CAP * caps - 1, PER_CAP do
  local of_day = ARGV[at] .. ':' .. ARGV[at + 1]
  raise('d:' .. of_day, ARGV[at + 2])
  raise('x:' .. of_day, ARGV[at + 3])
end
if changed > 0 then
  local now = lane_clock(ARGV[2])
  for at = FIRST + PER_CAP * caps, #ARGV do
    for priority = 0, 2 do
      redis.call('ZADD', key('ready:' .. priority), 'XX', 'LT', whole(now), ARGV[at])
    end
  end
  wake_one()
end
return { changed }
