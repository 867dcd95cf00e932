--[==[
Take up to N messages that may leave now, charge their gates, and lease them to the caller.

    give back        leases that expired and delayed messages that are due return to the front of their flows
    for each priority, until N messages are taken or nothing is open:
        pass         the channels that are due, least recently served first
        visit        gates of the channel closed: look again when they open; else a quantum of messages
        serve        first tenant of the ring; own gate closed: parked; recipient too soon: delayed; else granted
    write            gates, turns, flows, virtual times, backlog and the clock once, at the end

A quantum is one message wherever channels contend for something: one-time passwords, and whenever the gate of
the route, or one that the channel shares with others, could not let all N go at once. Otherwise what ends a
claim is N, and the messages of a quantum share what a visit costs. Who comes with one message is not behind the quanta
of all others, because `ready` has it where it was last served (structure.lua).

Everything read is kept in tables for the length of the call, so N messages of one channel read it once. The
budget of steps bounds one call however many tenants must be parked; the answer then asks for another at once.

ARGV[1]   N
ARGV[2]   the lowest priority wanted, 0 to 2: a dispatcher keeps its last slots for urgent messages
ARGV[3]   lease in us
ARGV[4]   how far ahead instants are given out, in us
ARGV[5]   us per API request of the route, 0 for no such gate
ARGV[6]   the quantum: messages of a channel in one visit, where nothing else is waited for
ARGV[7]   the time in us, '' for Redis's own (tests inject it)

Returns {status, next, now, entry...}: status 1, or 0 when the epoch is missing; next is the us until another
call can bring something, 0 for at once, -1 when nothing waits; now is the route's time in us; an entry is a
flow, an item and the us from now to its instant (4 bytes), 67 bytes.
]==]

local FLOOR = 19                   -- parts or requests of others for each promotional one: 5 %
local FLOOR_TRIES = 4              -- promotional channels looked at before the urgent ones go on
local GIVE_BACK = 64               -- leases, delayed messages and parked tenants moved at a time
local NEXT_IN_FLOW = 15            -- messages of a flow looked at for one that fits where its head does not
local MOST_PASSES = 16             -- how often the heads of a channel may be passed before one must go
local STEPS_PER_MESSAGE = 8
local STEPS_AT_LEAST = 256
local HELD_SECOND = 1              -- item flag: its place in the recipient's row of seconds is taken
local PROBE = 2                    -- item flag: it asks whether what holds its flow or route is over
local PROMOTIONAL = 2

local wanted, lowest = tonumber(ARGV[1]), tonumber(ARGV[2])
local lease_us, ahead = tonumber(ARGV[3]), tonumber(ARGV[4])
local largest_quantum, injected = tonumber(ARGV[6]), ARGV[7]

local epoch = redis.call('HMGET', key('epoch'), 'id', 'opens', 'floor', 'slow', 'probe', 'request_us')
if not epoch[1] then
  return { 0, -1, 0 }
end
local now, shift, old_shift = lane_clock(injected)
if now < tonumber(epoch[2]) then
  return { 1, tonumber(epoch[2]) - now, now }
end
now_is(now, ahead, injected)
local near = now + ahead           -- the last instant that is given out
local look = math.floor(ahead * 0.8) -- how long before its opening a lane is looked at: several go at once

local granted, leased, in_flight = {}, {}, {}
local lease_ends = whole(now + lease_us)
local steps = STEPS_AT_LEAST + STEPS_PER_MESSAGE * wanted
local channels, backlog, messages = {}, {}, {}
local request_floor = tonumber(epoch[3] or 0)
local promotional_waits = lowest == PROMOTIONAL

local route_gate = { 'g:route', tonumber(ARGV[5]) / share_of(epoch[4], now), 0 }

-- Holds (backoff.lua): one message per probe period.
local route_probe_us = tonumber((epoch[5] or ''):match('^%d+'))
local any_held = redis.call('EXISTS', key('held')) == 1
local holds = {}

local route_hold = { 'g:hold', route_probe_us, 0 }

-- The gate of a flow that is held, or nil.
local function hold_of(flow)
  if not any_held then
    return nil
  end
  if holds[flow] == nil then
    local probe_us = tonumber((redis.call('HGET', key('held'), flow) or ''):match('^%d+'))
    holds[flow] = probe_us and { 'g:h:' .. flow, probe_us, 0 } or false
  end
  return holds[flow] or nil
end

local function route_opens_at()
  local open = route_gate[2] > 0 and opens_at(route_gate, 1) or 0
  return route_probe_us and math.max(open, opens_at(route_hold, 1)) or open
end

-- Whether a gate lets all that is wanted go within what is given out ahead.
local function is_roomy(spec)
  return spec[2] == 0 or math.max(now, opens_at(spec, 1)) + wanted * spec[2] <= near
end

local route_is_roomy = not route_probe_us and is_roomy(route_gate)

-- Channels ---------------------------------------------------------------------------------------------------

local function channel(name)
  local found = channels[name]
  if found then
    return found
  end
  local row = redis.call('HMGET', key('ch:' .. name), 'cfg', 'v0', 'v1', 'v2', 'floor', 'last', 'passed', 'slow')
  found = { name = name, country = name:sub(17, 18), blocked = {}, unparked = {}, served = {},
            v = { [0] = tonumber(row[2] or 0), tonumber(row[3] or 0), tonumber(row[4] or 0) },
            floor = tonumber(row[5] or 0), last = tonumber(row[6] or 0), passed = tonumber(row[7] or 0) }
  found.gates, found.caps = gates_and_caps(name, row[1], share_of(row[8], now))
  channels[name] = found
  return found
end

local function channel_opens_at(c, priority)
  local open = c.blocked[priority] or 0
  for _, each in ipairs(c.gates) do
    open = math.max(open, opens_at(each, 1))
  end
  for _, cap in ipairs(c.caps) do
    if open <= near and used_today(cap) >= cap.parts then
      open = cap.ends
    end
  end
  return open
end

local function write_channels()
  for name, c in pairs(channels) do
    for priority in pairs(c.served) do -- the others' V is what it was
      redis.call('HSET', key('ch:' .. name), 'v' .. priority, c.v[priority],
                 'floor', whole(c.floor), 'last', whole(c.last), 'passed', c.passed)
    end
  end
end

-- Tenants ----------------------------------------------------------------------------------------------------

local function unpark(c, priority)
  if c.unparked[priority] then
    return
  end
  local lane = priority .. c.name
  local due = redis.call('ZRANGEBYSCORE', key('park:' .. lane), '-inf', whole(now), 'LIMIT', 0, GIVE_BACK)
  if #due > 0 then
    end_turn(lane)
  end
  for _, tenant in ipairs(due) do
    redis.call('ZREM', key('park:' .. lane), tenant)
    redis.call('ZADD', key('ring:' .. lane), 'NX', c.v[priority], tenant)
  end
  c.unparked[priority] = #due < GIVE_BACK
end

-- Recipients -------------------------------------------------------------------------------------------------

local ANY_RECIPIENT = string.rep('\0', 8)

-- Return when this recipient may get the item: now or earlier means at once. `free` is the next second nobody
-- has taken yet.
local function recipient_of(item)
  local hash = item:sub(17, 24)
  if hash == ANY_RECIPIENT then
    return nil, 0, 0
  end
  local value = redis.call('GET', key('to:' .. hash))
  local last, free = 0, 0
  if value then
    local last_text, free_text = value:match('(%d+):(%d+)')
    last, free = tonumber(last_text), tonumber(free_text)
  end
  local holds = item:byte(28) % 2 == HELD_SECOND
  local allowed = last == 0 and 0 or last + RECIPIENT_US
  return hash, holds and allowed or math.max(allowed, free), free, last
end

local function delay(flow, item, hash, at, free, last)
  if item:byte(28) % 2 ~= HELD_SECOND then
    write_recipient(hash, last, math.max(free, at) + RECIPIENT_US)
    item = item:sub(1, 27) .. string.char(item:byte(28) + HELD_SECOND)
  end
  redis.call('ZADD', key('delayed'), whole(at - look), flow .. item)
end

-- Granting ---------------------------------------------------------------------------------------------------

local function count_towards_floors(c, priority, parts)
  if priority == PROMOTIONAL then
    c.floor, request_floor = math.min(c.floor, 0), 0
  else
    c.floor, request_floor = math.min(c.floor + parts, FLOOR), math.min(request_floor + 1, FLOOR)
  end
end

local function count_waiting(flow, parts, number)
  local lane = lane_of(flow)
  backlog[lane] = (backlog[lane] or 0) + parts
  messages[lane] = (messages[lane] or 0) + number
end

-- Charge what holds the message's route and flow; returns the flag of a message that probes.
local function charge_holds(flow, at)
  local hold = hold_of(flow)
  if route_probe_us then
    charge(route_hold, at, 1)
  end
  if hold then
    charge(hold, at, 1)
  end
  return (route_probe_us or hold) and PROBE or 0
end

local function grant(c, flow, item, terms, hash, free, at)
  local parts = parts_of(item)
  charge_all(c.gates, terms, at, parts)
  for _, cap in ipairs(c.caps) do
    count_today(cap, parts)
  end
  if route_gate[2] > 0 then
    charge(route_gate, at, 1)
  end
  if hash then
    write_recipient(hash, at, math.max(free, at + RECIPIENT_US))
  end
  local id, claims = item:sub(1, 16), math.min(item:byte(27) + 1, 255)
  local entry = flow .. item:sub(1, 26) .. string.char(claims, charge_holds(flow, at))
  leased[#leased + 1], leased[#leased + 2] = lease_ends, id
  in_flight[#in_flight + 1], in_flight[#in_flight + 2] = id, entry
  count_waiting(flow, -parts, -1)
  granted[#granted + 1] = entry .. struct.pack('>I4', at - now)
  c.last = now + #granted
  return parts
end

-- The instant at which the channel, the tenant and the route let n parts go.
local function earliest(c, terms, flow, parts)
  local hold = hold_of(flow)
  local at = math.max(now, route_opens_at(), hold and opens_at(hold, 1) or 0)
  for _, each in ipairs(c.gates) do
    at = math.max(at, opens_at(each, parts))
  end
  if terms.gate then
    at = math.max(at, opens_at(terms.gate, parts))
  end
  return at
end

-- Where the head is too long for what is left of a second, a shorter message a few places behind may pass it.
-- Returns the item that can go first with its instant.
local function first_that_fits(c, terms, flow, queue, head)
  local best, at = head, earliest(c, terms, flow, parts_of(head))
  if parts_of(head) == 1 or c.passed >= MOST_PASSES or at <= earliest(c, terms, flow, 1) then
    return best, at
  end
  for _, item in ipairs(redis.call('LRANGE', queue.list, queue.taken + 1, queue.taken + NEXT_IN_FLOW)) do
    local shorter = #item == ITEM_BYTES and parts_of(item) < parts_of(best)
    local sooner = shorter and earliest(c, terms, flow, parts_of(item)) or at
    if sooner < at then
      local _, allowed = recipient_of(item)
      if allowed <= sooner then
        best, at = item, sooner
      end
    end
  end
  return best, at
end

local function take_from(c, queue, item, head)
  if item == head then
    take_head(queue)
    c.passed = 0
  else
    write_queue(queue)             -- LREM takes the first that is equal
    redis.call('LREM', queue.list, 1, item)
    queue.items = {}
    c.passed = c.passed + 1
  end
end

local function park(lane, tenant, open)
  leave_ring(lane, tenant)
  redis.call('ZADD', key('park:' .. lane), whole(open - look), tenant)
end

-- When the day has no room for the message, which its lane then waits for; nil where it has.
local function full_until(c, parts)
  for _, cap in ipairs(c.caps) do
    if not fits_today(cap, parts) then
      return cap.ends
    end
  end
  return nil
end

-- Look at the tenant whose turn it is. Returns the parts granted or nil, and true when the whole lane must stop.
local function serve_tenant(c, priority, turn)
  local lane, tenant = priority .. c.name, turn.tenant
  local terms = tenant_terms(tenant .. c.country)
  local hold = hold_of(lane .. tenant)
  local open = math.max(terms.gate and opens_at(terms.gate, 1) or 0, hold and opens_at(hold, 1) or 0)
  if open > near then
    park(lane, tenant, open)
    return nil
  end
  local flow = lane .. tenant
  local queue = queue_of(flow)
  local head = head_of(queue, c.reach)
  if not head then
    leave_ring(lane, tenant)
    return nil
  end
  if #head ~= ITEM_BYTES then
    take_head(queue)
    return nil                      -- not ours; a lane must not stop for it
  end
  c.blocked[priority] = full_until(c, parts_of(head))
  if c.blocked[priority] then
    return nil, true
  end
  local hash, allowed, free, last = recipient_of(head)
  if allowed > near then
    take_head(queue)
    delay(flow, head, hash, allowed, free, last)
    return nil
  end
  local item, at = first_that_fits(c, terms, flow, queue, head)
  if item ~= head then
    hash, allowed, free = recipient_of(item)
  end
  at = math.ceil(math.max(at, allowed))
  if at > near then
    if terms.gate and opens_at(terms.gate, parts_of(item)) >= at then
      park(lane, tenant, at)
      return nil
    end
    c.blocked[priority] = at
    return nil, true
  end
  take_from(c, queue, item, head)
  local parts = grant(c, flow, item, terms, hash, free, at)
  c.v[priority], c.served[priority] = turn.tag, true
  turn.tag, turn.changed = turn.tag + parts / terms.weight, true
  count_towards_floors(c, priority, parts)
  return parts
end

-- Grant one message of the lane. Returns its parts, or nil when no tenant of the lane may send now.
local function serve(c, priority)
  unpark(c, priority)
  while steps > 0 do
    steps = steps - 1
    local turn = turn_of(priority .. c.name)
    if not turn then
      return nil
    end
    local parts, stop = serve_tenant(c, priority, turn)
    if parts or stop then
      return parts
    end
  end
  return nil
end

-- Write down when the lane is worth another look, or that it is empty; a lane just served has a ring.
local function score(c, priority, was_served)
  local lane, ready = priority .. c.name, key('ready:' .. priority)
  local open = channel_opens_at(c, priority)
  open = open <= near and now or open - look
  if not was_served and redis.call('EXISTS', key('ring:' .. lane)) == 0 then
    local first = redis.call('ZRANGE', key('park:' .. lane), 0, 0, 'WITHSCORES')
    if not first[1] then
      redis.call('ZREM', ready, c.name)
      return
    end
    open = math.max(open, tonumber(first[2]))
  end
  redis.call('ZADD', ready, whole(open), c.name)
end

-- Whether something promotional waits at the channel; nothing comes there in the length of a call.
local function has_promotional(c)
  if c.promotional == nil then
    c.promotional = redis.call('ZSCORE', key('ready:2'), c.name) ~= false
  end
  return c.promotional
end

-- The promotional lane of a channel goes first when the others had their nineteen parts.
local function serve_floor(c)
  if c.floor < FLOOR or lowest < PROMOTIONAL or not has_promotional(c) then
    return nil
  end
  local parts = serve(c, PROMOTIONAL)
  if parts then
    c.floor = FLOOR - FLOOR * parts
  end
  return parts
end

-- Messages that a visit may grant: one where the channel contends with others.
local function quantum_of(c, priority)
  if priority == 0 or not route_is_roomy then
    return 1
  end
  for at = 2, #c.gates do          -- the first is the channel's own
    if not is_roomy(c.gates[at]) then
      return 1
    end
  end
  return largest_quantum
end

local function may_go_on()
  return #granted < wanted and steps > 0 and route_opens_at() <= near
end

local function floor_is_due(priority)
  return priority < PROMOTIONAL and promotional_waits and request_floor >= FLOOR
end

-- Grant up to `quantum` messages of the lane, then say when it is worth another look.
local function visit(c, priority, quantum)
  local has_ring = true
  c.blocked[priority], c.reach = nil, quantum
  repeat
    steps, quantum = steps - 1, quantum - 1
    if channel_opens_at(c, priority) > near then
      break
    end
    has_ring = not (priority < PROMOTIONAL and serve_floor(c)) and serve(c, priority) ~= nil
  until not has_ring or quantum == 0 or floor_is_due(priority) or not may_go_on()
  score(c, priority, has_ring)
end

-- Passes -----------------------------------------------------------------------------------------------------

-- The first channels that are due, by when they were last served; of those that are not visited only that is read.
local function due_channels(priority, limit)
  local names = redis.call('ZRANGEBYSCORE', key('ready:' .. priority), '-inf', whole(now), 'LIMIT', 0, limit)
  local last = {}
  for _, name in ipairs(names) do
    last[name] = channels[name] and channels[name].last or tonumber(redis.call('HGET', key('ch:' .. name), 'last') or 0)
  end
  table.sort(names, function(a, b) return last[a] < last[b] end)
  return names
end

-- Somebody more urgent waits at the same channel: its own floor decides there, in parts.
local function is_contended(name)
  return redis.call('ZSCORE', key('ready:0'), name) or redis.call('ZSCORE', key('ready:1'), name)
end

-- One promotional message, if any may go, when the route's others had their nineteen requests.
local function pass_floor()
  if not promotional_waits then
    return
  end
  local due, before = due_channels(PROMOTIONAL, FLOOR_TRIES), #granted
  promotional_waits = #due > 0
  for _, name in ipairs(due) do
    if not may_go_on() or #granted > before then
      return
    elseif is_contended(name) then
      score(channel(name), PROMOTIONAL)
    else
      visit(channel(name), PROMOTIONAL, 1)
    end
  end
end

-- The channels that bring all that is still wanted, with as much again as is moved at a time for those that bring
-- nothing; another pass looks at the rest.
local function enough_channels(priority)
  local each = priority > 0 and route_is_roomy and largest_quantum or 1
  return math.ceil((wanted - #granted + GIVE_BACK) / each)
end

local function pass(priority)
  local limit = enough_channels(priority)
  local due, before = due_channels(priority, limit), #granted
  for _, name in ipairs(due) do
    if floor_is_due(priority) then
      pass_floor()
    end
    if not may_go_on() then
      break
    end
    local c = channel(name)
    visit(c, priority, quantum_of(c, priority))
  end
  return #due == limit or #granted > before
end

local function give_back()
  local expired = redis.call('ZRANGEBYSCORE', key('lease'), '-inf', whole(now), 'LIMIT', 0, GIVE_BACK)
  for _, id in ipairs(expired) do
    local entry = redis.call('HGET', key('flight'), id)
    redis.call('ZREM', key('lease'), id)
    redis.call('HDEL', key('flight'), id)
    if entry then
      local flow, item = entry:sub(1, FLOW_BYTES), entry:sub(FLOW_BYTES + 1)
      put_back(flow, item, now)
      count_waiting(flow, parts_of(item), 1)
    end
  end
  local due = redis.call('ZRANGEBYSCORE', key('delayed'), '-inf', whole(now), 'LIMIT', 0, GIVE_BACK)
  for _, entry in ipairs(due) do
    redis.call('ZREM', key('delayed'), entry)
    put_back(entry:sub(1, FLOW_BYTES), entry:sub(FLOW_BYTES + 1), now)
  end
end

local function write_leases()
  if #granted > 0 then
    redis.call('ZADD', key('lease'), unpack(leased))
    redis.call('HSET', key('flight'), unpack(in_flight))
  end
end

-- An idle claim writes nothing, unless the clock was set back or the account's quota has changed.
local function write_epoch()
  if epoch[6] ~= ARGV[5] then
    redis.call('HSET', key('epoch'), 'request_us', ARGV[5])
  end
  if #granted > 0 then
    redis.call('HSET', key('epoch'), 'floor', whole(request_floor))
  end
  if shift and (#granted > 0 or shift ~= old_shift) then
    redis.call('HSET', key('epoch'), 'last', whole(now), 'shift', whole(shift))
  end
end

local function first_score(name)
  local first = redis.call('ZRANGE', key(name), 0, 0, 'WITHSCORES')
  return tonumber(first[2])
end

-- Microseconds until another claim can bring something.
local function next_look()
  local soonest = math.huge
  for priority = 0, lowest do
    soonest = math.min(soonest, first_score('ready:' .. priority) or math.huge)
  end
  local route_open = route_opens_at()
  soonest = math.max(soonest, route_open <= near and now or route_open - look)
  soonest = math.min(soonest, first_score('delayed') or math.huge, first_score('lease') or math.huge)
  if soonest == math.huge then
    return -1
  end
  return math.max(soonest - now, 0)
end

give_back()
for priority = 0, lowest do
  while may_go_on() do
    if not pass(priority) then
      break
    end
  end
end
write_leases()
write_lanes()
write_gates()
write_channels()
count_in_lanes(backlog, messages)
write_epoch()

local again = next_look()
if again == 0 and #granted > 0 then
  wake_one()                       -- more is open than this caller took: another dispatcher may have it
end
return { 1, again, now, unpack(granted) }
