--[==[
What limits some channels: their cfg as the newest push brought it.

ARGV[1..]   channels, 18 bytes each

Returns {cfg...}: msgpack, '' for a channel that is not known.
]==]

local answer = {}
for at, channel in ipairs(ARGV) do
  answer[at] = redis.call('HGET', key('ch:' .. channel), 'cfg') or ''
end
return answer
