--[==[
Queue a batch of messages of one route; O(1) per message and O(log tenants) per flow.

ARGV[1]   the epoch that is being rebuilt, or '' for an ordinary push
ARGV[2]   milliseconds by which a rebuild's push prolongs its lock
ARGV[3]   the time in us, '' for Redis's own (tests inject it)
then four per flow:
  flow    35 bytes
  cfg     the channel's gates, msgpack; the last push decides
  terms   the tenant's weight and gate, msgpack, or '' for the defaults
  items   28 bytes each, one after the other

Returns {taken}: 1, or 0 when the route has no epoch (or the rebuild lost its lock) and nothing was stored.
]==]

local CHUNK = 1000
local FIRST_FLOW = 4

local function may_push(rebuilding, lock_ms)
  if rebuilding == '' then
    return redis.call('HEXISTS', key('epoch'), 'id') == 1
  end
  if redis.call('HGET', key('rebuild'), 'epoch') ~= rebuilding then
    return false
  end
  redis.call('PEXPIRE', key('rebuild'), lock_ms)
  return true
end

local function append(flow, blob)
  local queue, parts, length = key('q:' .. flow), 0, 0
  local chunk = {}
  for start = 1, #blob, ITEM_BYTES do
    local item = blob:sub(start, start + ITEM_BYTES - 1)
    parts = parts + parts_of(item)
    chunk[#chunk + 1] = item
    if #chunk == CHUNK then
      length = redis.call('RPUSH', queue, unpack(chunk))
      chunk = {}
    end
  end
  if #chunk > 0 then
    length = redis.call('RPUSH', queue, unpack(chunk))
  end
  return parts, length == #blob / ITEM_BYTES
end

if not may_push(ARGV[1], ARGV[2]) then
  return { 0 }
end

local now = lane_clock(ARGV[3])
local added, tags, configured, woken = {}, {}, {}, {}

-- Let no lane of the channel sleep until a time that was reckoned with an older rate.
local function look_again(channel)
  for priority = 0, 2 do
    redis.call('ZADD', key('ready:' .. priority), 'XX', 'LT', whole(now), channel)
  end
end

local function configure(channel, cfg)
  if configured[channel] == cfg then
    return
  end
  configured[channel] = cfg
  if redis.call('HGET', key('ch:' .. channel), 'cfg') ~= cfg then
    redis.call('HSET', key('ch:' .. channel), 'cfg', cfg)
    look_again(channel)
  end
end

-- Store the tenant's terms if they are new, and return its weight.
local function agree(channel, tenant, terms)
  local field = tenant .. channel:sub(17, 18)
  if (redis.call('HGET', key('terms'), field) or '') ~= terms then
    if terms == '' then
      redis.call('HDEL', key('terms'), field)
    else
      redis.call('HSET', key('terms'), field, terms)
    end
    for priority = 0, 2 do
      redis.call('ZADD', key('park:' .. priority .. channel), 'XX', 'LT', whole(now), tenant)
    end
    look_again(channel)
  end
  return terms == '' and 1 or cmsgpack.unpack(terms)[1]
end

for at = FIRST_FLOW, #ARGV, 4 do
  local flow, cfg, terms, blob = ARGV[at], ARGV[at + 1], ARGV[at + 2], ARGV[at + 3]
  local lane, channel, tenant = lane_of(flow), channel_of(flow), tenant_of(flow)
  configure(channel, cfg)
  local weight = agree(channel, tenant, terms)
  local parts, was_empty = append(flow, blob)
  added[lane] = (added[lane] or 0) + parts
  if was_empty then
    if not tags[lane] then
      tags[lane] = tonumber(redis.call('HGET', key('ch:' .. channel), 'v' .. flow:sub(1, 1)) or 0)
    end
    redis.call('ZADD', key('ring:' .. lane), 'NX', tags[lane] + 1 / weight, tenant)
    woken[lane] = flow
  end
end

for lane, parts in pairs(added) do
  redis.call('HINCRBY', key('backlog'), lane, whole(parts))
end
for _, flow in pairs(woken) do
  look_at(flow, now)
end
if next(woken) then
  wake_one()
end
return { 1 }
