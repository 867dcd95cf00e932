--[==[
How much of their day some caps have used.

ARGV[1]   the time in us, '' for Redis's own (tests inject it)
ARGV[2..] the caps' names

Returns {us until the day ends, used...}: parts of the day, less those known to have gone to other carriers.
]==]

local now = lane_clock(ARGV[1])
now_is(now, 0, ARGV[1])
local day = math.floor(now / DAY_US)
local answer = { math.ceil((day + 1) * DAY_US - now) }
for at = 2, #ARGV do
  local of_day = ARGV[at] .. ':' .. whole(day)
  answer[at] = used_today({ counter = 'd:' .. of_day, elsewhere = 'x:' .. of_day })
end
return answer
