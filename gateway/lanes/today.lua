--[==[
How much of their days some caps have used.

ARGV[1]   the time in us, '' for Redis's own (tests inject it)
ARGV[2..] the caps' names

Returns {used, us until its day ends} for each: parts of the day, less those known to have gone to other carriers.
]==]

local now = lane_clock(ARGV[1])
now_is(now, 0, ARGV[1])
local answer = {}
for at = 2, #ARGV do
  local day, ends = day_of(ARGV[at], now)
  local of_day = ARGV[at] .. ':' .. whole(day)
  answer[#answer + 1] = used_today({ counter = 'd:' .. of_day, elsewhere = 'x:' .. of_day })
  answer[#answer + 1] = math.ceil(ends - now)
end
return answer
