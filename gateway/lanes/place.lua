--[==[
Where the next message of some flows would stand in the order of their lanes, and when their gates open.

The tenants of a lane share it by weight (structure.lua): a message goes at its flow's tag, which grows by parts
over weight with each message before it. So of the others go those whose tags are smaller. Messages are taken to
be as long as those of the lane are on average; of very many tenants a part is looked at and stands for the rest.

ARGV[1]     the time in us, '' for Redis's own (tests inject it)
ARGV[2]     tenants looked at per lane: those served next, and as many that are parked
ARGV[3..]   flows, 35 bytes each

Returns {own, others, channel, tenant...} for each flow: messages of the flow, messages of other tenants that go
before its next one, and the us until the channel's own gate and the tenant's gate open.
]==]

local now, most = lane_clock(ARGV[1]), tonumber(ARGV[2])
now_is(now, 0, ARGV[1])

local function opens_in(name, period)
  local tat, _, parts, cost = read_gate(name)
  return math.max(math.ceil((period and tat_at(period, tat, parts, cost) or tat) - now), 0)
end

-- What a part of a channel costs at its own gate; nil where nothing was pushed to it since the lanes were lost.
local function period_of(channel)
  local cfg = redis.call('HGET', key('ch:' .. channel), 'cfg')
  return cfg and cmsgpack.unpack(cfg)[1] or nil
end

local function mean_parts(lane)
  local parts = tonumber(redis.call('HGET', key('backlog'), lane) or 1)
  return math.max(parts / tonumber(redis.call('HGET', key('messages'), lane) or parts), 1)
end

-- The messages of a flow whose tags are smaller than one; the first has the flow's own.
local function before(flow, first, tag, weight, mean)
  local ahead = math.max(math.ceil((tag - first) * weight / mean), 0)
  return ahead > 0 and math.min(redis.call('LLEN', key('q:' .. flow)), ahead) or 0
end

-- The messages of the others in a ring; `looked_at` of them, in the order of their tags, stand for all.
local function before_in_ring(lane, tenant, tag, mean)
  local row = redis.call('ZRANGE', key('ring:' .. lane), 0, most - 1, 'WITHSCORES')
  local sum, looked_at = 0, 0
  for at = 1, #row, 2 do
    if row[at] ~= tenant then
      local weight = tenant_terms(row[at] .. lane:sub(18, 19)).weight
      sum, looked_at = sum + before(lane .. row[at], tonumber(row[at + 1]), tag, weight, mean), looked_at + 1
    end
  end
  return looked_at > 0 and sum * math.max(redis.call('ZCARD', key('ring:' .. lane)) - 1, 1) / looked_at or 0
end

-- Parked tenants have lost their tags, and are back at V when their gates open.
local function before_in_park(lane, tenant, v, tag, mean)
  local row, sum = redis.call('ZRANGE', key('park:' .. lane), 0, most - 1), 0
  for _, other in ipairs(row) do
    if other ~= tenant then
      sum = sum + before(lane .. other, v, tag, tenant_terms(other .. lane:sub(18, 19)).weight, mean)
    end
  end
  return #row > 0 and sum * redis.call('ZCARD', key('park:' .. lane)) / #row or 0
end

local answer = {}
for at = 3, #ARGV do
  local flow = ARGV[at]
  local lane, channel, tenant = lane_of(flow), channel_of(flow), tenant_of(flow)
  local own, mean = redis.call('LLEN', key('q:' .. flow)), mean_parts(lane)
  local terms, v = tenant_terms(tenant .. channel:sub(17, 18)), place_of(flow, now)
  local first = math.max(tonumber(redis.call('ZSCORE', key('ring:' .. lane), tenant) or v), v)
  local tag = first + own * mean / terms.weight
  answer[#answer + 1] = own
  answer[#answer + 1] = math.ceil(before_in_ring(lane, tenant, tag, mean) + before_in_park(lane, tenant, v, tag, mean))
  answer[#answer + 1] = opens_in('g:c:' .. channel, period_of(channel))
  answer[#answer + 1] = terms.gate and opens_in(terms.gate[1], terms.gate[2]) or 0
end
return answer
