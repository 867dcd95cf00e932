--[==[
Write down that messages reached the carrier later than at their instants, so that what follows them does, too.

A gate holds the seconds of the instants it gave out. What arrives late is in later seconds than the gate
thinks: who follows it a second behind its instant would meet it at the carrier. So its entry in the gate's
last second moves to where it arrived; a gate without such a list moves its next opening. The message that
would follow is nearly a second away when this is told, and is granted 12 ms ahead.

A full memory refuses the first write of a script if it may grow, and lets through what follows one that may
not. So it lets claims go on that first forget a second that is over, and has to let their gates hear of what
was late; nothing here grows. Hence a key is deleted first, which only `try_write.lua` writes.

A gate is written to however empty it is: after a rest it fills within the second, and whoever comes a second
later stands on what came now.

ARGV[1]   the time in us, '' for Redis's own (tests inject it)
then four per message:
  flow      35 bytes
  item      28 bytes
  instant   us of the route's clock
  late      us

Returns {moved}: how many gates were changed.
]==]

local injected = ARGV[1]
local FIRST, PER_MESSAGE = 2, 4
now_is(lane_clock(injected), 0, injected)
redis.call('DEL', key('tried'))

local BLOCK = 64                   -- rows of a log read at a time

local of_channel, tails, moved = {}, {}, 0

local function gates_of(channel)
  if of_channel[channel] == nil then
    local row = redis.call('HMGET', key('ch:' .. channel), 'cfg', 'slow')
    of_channel[channel] = row[1] and gates_and_caps(channel, row[1], share_of(row[2], gate_now)) or false
  end
  return of_channel[channel]
end

-- The places of a log's rows, read from its end as far as they were looked for: what arrives late is near it,
-- and messages that are told together share the reading.
local function tail_of(log)
  if not tails[log] then
    tails[log] = { unread = redis.call('LLEN', log), places = {} }
  end
  return tails[log]
end

local function read_on(log, tail)
  local first = math.max(tail.unread - BLOCK, 0)
  local rows = redis.call('LRANGE', log, first, tail.unread - 1)
  for at = #rows, 1, -1 do
    local equal = tail.places[rows[at]] or {}
    table.insert(equal, 1, first + at - 1)
    tail.places[rows[at]] = equal
  end
  tail.unread = first
end

-- Take the last place of a row out of the tail; nil where the log has it no more.
local function taken_place(log, row)
  local tail = tail_of(log)
  while not (tail.places[row] and tail.places[row][1]) and tail.unread > 0 do
    read_on(log, tail)
  end
  return tail.places[row] and table.remove(tail.places[row])
end

local function move_in_log(spec, at, parts, late)
  local log = log_of(spec[1])
  local place = taken_place(log, whole(at) .. ':' .. parts)
  if place then
    redis.call('LSET', log, place, whole(at + late) .. ':' .. parts)
    moved = moved + 1
  end
end

local function move(spec, at, parts, late)
  local state = gate(spec)
  if spec[3] > 0 then
    move_in_log(spec, at, parts, late)
  elseif state.tat > gate_now then
    state.tat, state.changed = state.tat + late, true
    moved = moved + 1
  end
end

for at = FIRST, #ARGV, PER_MESSAGE do
  local flow, item, instant, late = ARGV[at], ARGV[at + 1], tonumber(ARGV[at + 2]), tonumber(ARGV[at + 3])
  local channel = channel_of(flow)
  local open = gates_of(channel)
  if open then
    local parts, terms = parts_of(item), tenant_terms(tenant_of(flow) .. channel:sub(17, 18))
    for _, spec in ipairs(open) do
      move(spec, instant, parts, late)
    end
    if terms.gate then
      move(terms.gate, instant, parts, late)
    end
  end
end
write_gates()
return { moved }
