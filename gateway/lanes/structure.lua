--[==[
The lanes of one route: what is queued, in which order it leaves, and when.

This file is put in front of the scripts that change what is queued (push, claim, settle, requeue, reserve,
fell_away, arrived_late, backoff, daily) and of those that only read it (channels, heads, place, today); they share
the layout below.

A *channel* is an origination identity in a country: AWS grants a rate to that pair. A *lane* is a channel at
a priority. A *flow* is one tenant's messages in one lane, a plain list. Messages wait nowhere else except in
`delayed` (a later time was asked for) and `flight` (a dispatcher holds a lease).

                      ready:<p>  channels by the time of the next look
                          |
        lane          ring:<p><channel>  tenants by virtual time      park:<p><channel>  tenants by gate time
                          |
        flow          q:<p><channel><tenant>  messages, first in first out

Why no line blocks another. A channel whose gate is closed is scored at its opening time in `ready`, so a
claim never looks at it earlier. A tenant whose own gate is closed leaves the ring for `park`, scored at its
opening time. A recipient who got a message in the last second moves that one message to `delayed`. Each such
move is paid for by one message or one gate opening, so a claim costs O(log n) per message, whatever waits.

Fairness is deficit round robin in its virtual-time form. A flow's tag grows by parts / weight with each
message, the smallest tag is served, and V is the tag last served. The list form needs a quantum of the
longest message (eleven messages of one tenant in a row) or a walk over all tenants per part; a sorted set
needs neither. A flow that becomes busy starts at V, which is before whoever has just been served; an emptied
flow keeps its place until its turn comes, so nobody gains by queueing one message at a time.

Channels are served in the order of `ready`. One that was served and is still open goes behind all that are due.
One in which something begins to wait stands where it was last served: whoever comes with one message is before
those with a backlog, however long their round is, and whoever comes again and again has always just been served.

The limiter gives out instants. A claim grants a message the first instant at which every gate is open, if that
is near enough (12 ms); the dispatcher commits its mark meanwhile and makes the call at that very instant, so
the commit's jitter does not reach the carrier. A message of n parts moves a gate's TAT to instant + n * period,
the debt form, whose burst is one message. From 20 parts/s on a gate also keeps the last second's messages and
lets no second exceed the rate, whatever their lengths; below that a message is a large part of the rate, and
the honest bound is rate + n - 1 (proof in gates.py). Where a rate has changed, what went last is paid for at the
new one. A TAT further ahead than a second and 32 parts is a step of the clock, and is cut there. The clock itself
never goes back: `lane_clock` keeps the difference.

Priority: a claim serves the smallest priority number that has an open lane. Promotional lanes get the 20th
part of a channel, and the 20th request of a route, when the others would leave them nothing; a counter of
the parts granted since decides, so the floor is exact and needs no dice.

What the carrier refuses shapes the lanes too (backoff.lua). A throttled channel goes at a share of its rate
for a while. A flow or a whole route that is *held* has one more gate, one message per probe period, so that
what stopped it is asked again now and then by a message that waits anyway; the claim flags that message.

KEYS[1]   {r:<route>}   the prefix of every key below; the braces put them all in one slot

    epoch     hash    id, opens (no claim before), last and shift (the clock that never goes back),
                      floor (requests granted to others since the last promotional one),
                      slow (<share>:<us of the cut>), probe (<period us>:<since>) while the route is held,
                      request_us (us per API request, as the last claim was told; for estimates)
    rebuild   hash    epoch and begun, while somebody rebuilds; expires
    ready:p   zset    channel -> us of the next look, or of when it was last served where it was empty
    ring:L    zset    tenant -> tag            L is the priority digit and the channel
    park:L    zset    tenant -> us of opening
    q:F       list    items                    F is L and the tenant: the flow
    ch:C      hash    cfg (msgpack: [period us, bound, [[gate, period us, bound]...], [[cap, parts per day]...]]),
                      ver and by (policy version of cfg, and its tenant), v0 v1 v2 (V per priority), floor, last,
                      passed, slow
    terms     hash    tenant and country -> msgpack [version, weight, period us or 0, bound]; absent for weight 1
                      and no gate
    held      hash    flow -> <period us>:<since> of a flow that is held
    throttled zset    channel -> us of its last throttle, of the last seconds
    delayed   zset    flow and item -> us of return
    lease     zset    message id -> us of expiry
    flight    hash    message id -> flow and item
    backlog   hash    lane -> parts
    messages  hash    lane -> messages, which is what the route's API requests count
    wake      list    at most one token, for dispatchers that sleep
    tried     string  what try_write.lua writes to learn whether Redis takes writes; expires
    g:c:C g:s:<gate> g:t:<tenant><country> g:route g:h:F g:hold     string  TAT in us, then :<parts in the last
                      second where a bound holds>:<parts of the last charge>:<us that one of them cost>; expires
                      when it says nothing more
    w:<gate>          list    <us>:<parts> of the messages in that second
    d:<cap>:<day>     string  parts of that day; the cap's name says whose midnight ends it (gates.lua)
    x:<cap>:<day>     string  parts of that day known to have gone to carriers that do not count them (daily.lua)
    to:<recipient>    string  <us of the last message>:<us of the next free second>

Identities, tenants and messages are 16 raw bytes, a country 2 letters, a recipient 8 bytes:

    item (28)  message 16 | recipient 8 | parts 1 | attempt 1 | claims 1 | flags 1 (1: holds a recipient's second, 2: a probe)
    flow (35)  priority digit 1 | identity 16 | country 2 | tenant 16
]==]

local prefix = KEYS[1]
local SECOND_US = 1000000
local ITEM_BYTES = 28
local FLOW_BYTES = 35

local function key(name)
  return prefix .. ':' .. name
end

-- A number without its fraction: '%d' of a rounded one takes two fifths of what '%.0f' does.
local function whole(number)
  return string.format('%d', number < 0 and number - 0.5 or number + 0.5)
end

local function wall_us()
  local time = redis.call('TIME')
  return tonumber(time[1]) * SECOND_US + tonumber(time[2])
end

-- The route's time in us: Redis's own, shifted so that it never goes back; then the shift, now and as stored.
-- Tests inject the time.
local function lane_clock(injected)
  if injected ~= '' then
    return tonumber(injected)
  end
  local row = redis.call('HMGET', key('epoch'), 'last', 'shift')
  local last, shift = tonumber(row[1] or 0), tonumber(row[2] or 0)
  local now = wall_us() + shift
  if now < last then
    return last, shift + last - now, shift
  end
  return now, shift, shift
end

local RECOVERY_US = 30 * SECOND_US

-- The share of its rate that a throttled channel or route has now: from the cut back to all in RECOVERY_US.
local function share_of(text, now)
  local share, cut_at = (text or ''):match('^([%d.]+):(%d+)$')
  if not share then
    return 1
  end
  local recovered = math.max(0, math.min(1, (now - tonumber(cut_at)) / RECOVERY_US))
  return tonumber(share) + (1 - tonumber(share)) * recovered
end

local function lane_of(flow)
  return flow:sub(1, 19)
end

local function tenant_of(flow)
  return flow:sub(20, FLOW_BYTES)
end

local function channel_of(flow)
  return flow:sub(2, 19)
end

local function parts_of(item)
  return item:byte(25)
end

-- Where a lane stands in which something begins to wait: V for the tenant, and the time of the next look.
local function place_of(flow, now)
  local row = redis.call('HMGET', key('ch:' .. channel_of(flow)), 'v' .. flow:sub(1, 1), 'last')
  return tonumber(row[1] or 0), math.min(now, tonumber(row[2] or 0))
end

local function look_at(flow, at)
  redis.call('ZADD', key('ready:' .. flow:sub(1, 1)), 'LT', whole(at), channel_of(flow))
end

-- Put one message in front of its flow, as if it had never been taken.
local function put_back(flow, item, now)
  local v, at = place_of(flow, now)
  if redis.call('LPUSH', key('q:' .. flow), item) == 1 then
    redis.call('ZADD', key('ring:' .. lane_of(flow)), 'NX', v, tenant_of(flow))
  end
  look_at(flow, at)
end

local LANES_AT_ONCE = 1000

local function add_to_counts(name, lanes, counts)
  for first = 1, #lanes, LANES_AT_ONCE do
    local last = math.min(first + LANES_AT_ONCE - 1, #lanes)
    local known, counted, gone = redis.call('HMGET', key(name), unpack(lanes, first, last)), {}, {}
    for at = first, last do
      local count = tonumber(known[at - first + 1] or 0) + counts[lanes[at]]
      if count > 0 then
        counted[#counted + 1], counted[#counted + 2] = lanes[at], whole(count)
      else
        gone[#gone + 1] = lanes[at]
      end
    end
    if #counted > 0 then
      redis.call('HSET', key(name), unpack(counted))
    end
    if #gone > 0 then
      redis.call('HDEL', key(name), unpack(gone))
    end
  end
end

-- Count what waits in some lanes, all in one go: parts and messages by lane, to add. Who takes the last message
-- takes the fields.
local function count_in_lanes(parts, messages)
  local lanes = {}
  for lane in pairs(parts) do
    lanes[#lanes + 1] = lane
  end
  if #lanes > 0 then
    add_to_counts('backlog', lanes, parts)
    add_to_counts('messages', lanes, messages)
  end
end

local function wake_one()
  if redis.call('LLEN', key('wake')) == 0 then
    redis.call('RPUSH', key('wake'), '1')
  end
end
