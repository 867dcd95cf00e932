--[==[
Give a message another instant, because its own passed before it could leave.

If it was the newest at a gate, its charge moves to the new instant; where others came after it, it is charged
again behind them, for they keep theirs.

ARGV[1]   us per API request of the route, 0 for no such gate
ARGV[2]   the time in us, '' for Redis's own (tests inject it)
ARGV[3]   flow, 35 bytes
ARGV[4]   item, 28 bytes
ARGV[5]   the instant that passed, in us

Returns {taken, at, now}: 1 with the new instant and the route's time in us, or 0 when the lanes were lost.
]==]

local injected, flow, item, passed = ARGV[2], ARGV[3], ARGV[4], tonumber(ARGV[5])
local row = redis.call('HMGET', key('ch:' .. channel_of(flow)), 'cfg', 'slow')
local epoch = redis.call('HMGET', key('epoch'), 'id', 'slow')
if not epoch[1] or not row[1] then
  return { 0, 0, 0 }
end
local now = lane_clock(injected)
now_is(now, 0, injected)

local parts, route_gate = parts_of(item), { 'g:route', tonumber(ARGV[1]) / share_of(epoch[2], now), 0 }
local open = gates_and_caps(channel_of(flow), row[1], share_of(row[2], now))
local terms = tenant_terms(tenant_of(flow) .. channel_of(flow):sub(17, 18))
if terms.gate then
  open[#open + 1] = terms.gate
end

local function each_gate(act)
  for _, spec in ipairs(open) do
    act(spec, parts)
  end
  if route_gate[2] > 0 then
    act(route_gate, 1)
  end
end

local at = now
each_gate(function(spec, cost) uncharge(spec, passed, cost) end)
each_gate(function(spec, cost) at = math.max(at, opens_at(spec, cost)) end)
each_gate(function(spec, cost) charge(spec, at, cost) end)
if item:sub(17, 24) ~= string.rep('\0', 8) then
  local value = redis.call('GET', key('to:' .. item:sub(17, 24)))
  local free = value and tonumber(value:match(':(%d+)')) or 0
  write_recipient(item:sub(17, 24), at, math.max(free, at + RECIPIENT_US))
end
write_gates()
return { 1, math.ceil(at), now }
