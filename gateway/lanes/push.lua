--[==[
Queue a batch of messages of one route; O(1) per message and O(log tenants) per flow.

ARGV[1]   the epoch that is being rebuilt, or '' for an ordinary push
ARGV[2]   milliseconds by which a rebuild's push prolongs its lock
ARGV[3]   the time in us, '' for Redis's own (tests inject it)
then five per flow:
  flow    35 bytes
  version of the tenant's policy that the next two are from; older ones than those in force change nothing
  cfg     the channel's gates, msgpack
  terms   the tenant's weight and gate, msgpack, or '' for the defaults
  items   28 bytes each, one after the other; none to change only what is in force where something is queued

Returns {taken}: 1, or 0 when the route has no epoch (or the rebuild lost its lock) and nothing was stored.
]==]

local CHUNK = 1000
local FIRST_FLOW = 4
local changed_terms = false

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
local added, messages, tags, configured, woken, looks = {}, {}, {}, {}, {}, {}

-- Let no lane of the channel sleep until a time that was reckoned with an older rate.
local function look_again(channel)
  for priority = 0, 2 do
    redis.call('ZADD', key('ready:' .. priority), 'XX', 'LT', whole(now), channel)
  end
  changed_terms = true
end

-- Each tenant counts its own policy's versions, so those of tenants that share a channel say nothing of each other.
local function configure(channel, tenant, version, cfg)
  if configured[channel] == cfg then
    return
  end
  configured[channel] = cfg
  local row = redis.call('HMGET', key('ch:' .. channel), 'cfg', 'ver', 'by')
  local known = (row[3] or tenant) == tenant and tonumber(row[2] or 0) or -1
  if version < known then
    return
  end
  if row[1] ~= cfg then
    redis.call('HSET', key('ch:' .. channel), 'cfg', cfg, 'ver', whole(version), 'by', tenant)
    look_again(channel)
  elseif known >= 0 and version > known then
    redis.call('HSET', key('ch:' .. channel), 'ver', whole(version), 'by', tenant)
  end
end

local function field_of(flow)
  return tenant_of(flow) .. flow:sub(18, 19)
end

-- The terms of all tenants whose flows were given, read at once.
local function terms_in_force()
  local known, fields = {}, {}
  for at = FIRST_FLOW, #ARGV, 5 do
    local field = field_of(ARGV[at])
    if known[field] == nil then
      known[field], fields[#fields + 1] = '', field
    end
  end
  for first = 1, #fields, CHUNK do
    local last = math.min(first + CHUNK - 1, #fields)
    local row = redis.call('HMGET', key('terms'), unpack(fields, first, last))
    for at = first, last do
      known[fields[at]] = row[at - first + 1] or ''
    end
  end
  return known
end

local in_force = terms_in_force()

-- Store the tenant's terms if they are new.
local function agree(flow, channel, tenant, version, terms)
  local field = field_of(flow)
  local known = in_force[field]
  if known == terms then
    return
  end
  local before = known ~= '' and cmsgpack.unpack(known) or { 0, 1, 0, 0 }
  local after = terms ~= '' and cmsgpack.unpack(terms) or { version, 1, 0, 0 }
  if version < before[1] then
    return
  end
  in_force[field] = cmsgpack.pack(after)
  redis.call('HSET', key('terms'), field, in_force[field])
  if after[2] ~= before[2] or after[3] ~= before[3] then
    for priority = 0, 2 do
      redis.call('ZADD', key('park:' .. priority .. channel), 'XX', 'LT', whole(now), tenant)
    end
    look_again(channel)
  end
end

for at = FIRST_FLOW, #ARGV, 5 do
  local flow, version, cfg, terms, blob = ARGV[at], tonumber(ARGV[at + 1]), ARGV[at + 2], ARGV[at + 3], ARGV[at + 4]
  local lane, channel, tenant = lane_of(flow), channel_of(flow), tenant_of(flow)
  if blob ~= '' or redis.call('EXISTS', key('ch:' .. channel)) == 1 then
    configure(channel, tenant, version, cfg)
    agree(flow, channel, tenant, version, terms)
    local parts, was_empty = append(flow, blob)
    if parts > 0 then
      added[lane] = (added[lane] or 0) + parts
      messages[lane] = (messages[lane] or 0) + #blob / ITEM_BYTES
    end
    if was_empty and parts > 0 then
      if not tags[lane] then
        tags[lane], looks[lane] = place_of(flow, now)
      end
      redis.call('ZADD', key('ring:' .. lane), 'NX', tags[lane], tenant)
      woken[lane] = flow
    end
  end
end

count_in_lanes(added, messages)
for lane, flow in pairs(woken) do
  look_at(flow, looks[lane])
end
if next(woken) or changed_terms then
  wake_one()
end
return { 1 }
