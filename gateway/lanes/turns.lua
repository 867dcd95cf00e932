--[==[
Turns and queues: whose turn it is in a lane, and which message is the first of a flow.

This file comes after gates.lua in claim.lua. A visit grants several messages of one flow: what it reads is
kept, and what it changes is written once, by `write_lanes` at the end of the call. Until then Redis's lists
hold what was taken, and its rings the tags as they were read.
]==]

local turns, queues = {}, {}

-- Write down how far the first tenant of a lane has come, and forget who is first.
local function end_turn(lane)
  local turn = turns[lane]
  if turn and turn.changed then
    redis.call('ZADD', key('ring:' .. lane), turn.tag, turn.tenant)
  end
  turns[lane] = nil
end

-- Whose turn it is in a lane, or nil. It stays that tenant's until another's tag is as small: which of two equal
-- ones is first is for Redis to say.
local function turn_of(lane)
  if not turns[lane] or turns[lane].tag >= turns[lane].next_tag then
    end_turn(lane)
    local first = redis.call('ZRANGE', key('ring:' .. lane), 0, 1, 'WITHSCORES')
    turns[lane] = first[1] and { tenant = first[1], tag = tonumber(first[2]), changed = false,
                                 next_tag = tonumber(first[4] or math.huge) }
  end
  return turns[lane]
end

local function leave_ring(lane, tenant)
  redis.call('ZREM', key('ring:' .. lane), tenant)
  turns[lane] = nil
end

-- The messages of a flow as far as they were read; `taken` of them are still in its list.
local function queue_of(flow)
  if not queues[flow] then
    queues[flow] = { list = key('q:' .. flow), items = {}, at = 1, taken = 0 }
  end
  return queues[flow]
end

-- The first message that was not taken, or nil; `reach` are read at a time.
local function head_of(queue, reach)
  if not queue.items[queue.at] then
    queue.items, queue.at = redis.call('LRANGE', queue.list, queue.taken, queue.taken + reach - 1), 1
  end
  return queue.items[queue.at]
end

local function take_head(queue)
  queue.at, queue.taken = queue.at + 1, queue.taken + 1
end

local function write_queue(queue)
  if queue.taken > 0 then
    redis.call('LTRIM', queue.list, queue.taken, -1)
    queue.items, queue.at, queue.taken = {}, 1, 0
  end
end

local function write_lanes()
  for lane in pairs(turns) do
    end_turn(lane)
  end
  for _, queue in pairs(queues) do
    write_queue(queue)
  end
end

