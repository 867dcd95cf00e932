--[==[
Give messages back that did not leave: at once to the front of their flow, or later through `delayed`.

What the claim charged stays charged: the carrier may have counted the attempt.

ARGV[1]   the time in us, '' for Redis's own (tests inject it)
ARGV[2]   delay in milliseconds
ARGV[3]   flow, 35 bytes
ARGV[4]   item, 28 bytes

Returns {taken}: 1, or 0 when the route has no epoch or has forgotten the channel; a rebuild finds the message.
]==]

local delay_ms, flow, item = tonumber(ARGV[2]), ARGV[3], ARGV[4]
if redis.call('HEXISTS', key('epoch'), 'id') == 0 or redis.call('HEXISTS', key('ch:' .. channel_of(flow)), 'cfg') == 0 then
  return { 0 }
end

local id = item:sub(1, 16)
redis.call('ZREM', key('lease'), id)
redis.call('HDEL', key('flight'), id)
count_in_lanes({ [lane_of(flow)] = parts_of(item) }, { [lane_of(flow)] = 1 })

local now = lane_clock(ARGV[1])
if delay_ms > 0 then
  redis.call('ZADD', key('delayed'), whole(now + delay_ms * 1000), flow .. item)
else
  put_back(flow, item, now)
  wake_one()
end
return { 1 }
