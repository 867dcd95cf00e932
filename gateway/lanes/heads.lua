--[==[
The messages at the head of some lanes' flows: among them is the oldest that waits there.

ARGV[1]     flows looked at per lane: those served next, and as many that are parked
ARGV[2..]   lanes, 19 bytes each

Returns {lane, number of ids, id...} for each lane, one after the other.
]==]

local most = tonumber(ARGV[1])
local answer = {}

for at = 2, #ARGV do
  local lane, ids = ARGV[at], {}
  for _, name in ipairs({ 'ring:', 'park:' }) do
    for _, tenant in ipairs(redis.call('ZRANGE', key(name .. lane), 0, most - 1)) do
      local head = redis.call('LINDEX', key('q:' .. lane .. tenant), 0)
      if head and #head == ITEM_BYTES then
        ids[#ids + 1] = head:sub(1, 16)
      end
    end
  end
  answer[#answer + 1] = lane
  answer[#answer + 1] = #ids
  for _, id in ipairs(ids) do
    answer[#answer + 1] = id
  end
end
return answer
