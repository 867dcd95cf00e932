--[==[
Take back what messages were charged that were claimed and will not leave: canceled, expired or moved to another
sender while they stood in line.

No call was made, so the gates open again for whoever stands behind, as far as nobody has come after the message
at a gate: those who did keep their instants, and it stays charged there. The lanes of its channel are looked at
again at once; other channels that wait for a gate they share are looked at when it would have opened.

ARGV[1]   us per API request of the route, 0 for no such gate
ARGV[2]   the time in us, '' for Redis's own (tests inject it)
then three per message, in the order in which they were granted:
  flow      35 bytes
  item      28 bytes
  instant   us of the route's clock

Returns {gates}: how many were charged less.
]==]

local request_us, injected = tonumber(ARGV[1]), ARGV[2]
local FIRST, PER_MESSAGE = 3, 3
local LEAST_URGENT = 2
local now = lane_clock(injected)
now_is(now, 0, injected)

local of_channel, freed = {}, 0
local route_gate = { 'g:route', request_us / share_of(redis.call('HGET', key('epoch'), 'slow'), now), 0 }

local function limits_of(channel)
  if of_channel[channel] == nil then
    local row = redis.call('HMGET', key('ch:' .. channel), 'cfg', 'slow')
    local open, caps
    if row[1] then
      open, caps = gates_and_caps(channel, row[1], share_of(row[2], now))
    end
    of_channel[channel] = open and { gates = open, caps = caps } or false
  end
  return of_channel[channel]
end

local function give_back(spec, at, parts)
  if uncharge(spec, at, parts) then
    freed = freed + 1
  end
end

-- What a claim counted shortly before midnight, or after it for the day before, stays counted.
local function give_back_of_day(caps, at, parts)
  for _, cap in ipairs(caps) do
    local day = day_of(cap.name, now)
    local is_todays = day_of(cap.name, at - SECOND_US) == day and day_of(cap.name, at) == day
    if is_todays and tonumber(redis.call('GET', key(cap.counter)) or 0) >= parts then
      redis.call('DECRBY', key(cap.counter), parts)
    end
  end
end

local function look_again(channel, tenant)
  for priority = 0, LEAST_URGENT do
    redis.call('ZADD', key('park:' .. priority .. channel), 'XX', 'LT', whole(now), tenant)
    redis.call('ZADD', key('ready:' .. priority), 'XX', 'LT', whole(now), channel)
  end
end

for last = #ARGV, FIRST, -PER_MESSAGE do
  local flow, item, at = ARGV[last - 2], ARGV[last - 1], tonumber(ARGV[last])
  local channel = channel_of(flow)
  local limits = limits_of(channel)
  if limits then
    local parts, terms = parts_of(item), tenant_terms(tenant_of(flow) .. channel:sub(17, 18))
    for _, spec in ipairs(limits.gates) do
      give_back(spec, at, parts)
    end
    if terms.gate then
      give_back(terms.gate, at, parts)
    end
    if route_gate[2] > 0 then
      give_back(route_gate, at, 1)
    end
    give_back_of_day(limits.caps, at, parts)
    look_again(channel, tenant_of(flow))
  end
end
write_gates()
wake_one()
return { freed }
