--[==[
The gates: when each opens for a message of n parts, and what the message charges.

This file comes after structure.lua in claim.lua, reserve.lua, fell_away.lua and arrived_late.lua, which charge;
place.lua and today.lua only read. A gate is
{name, period, bound}: `period` is the us that one part costs, `bound` the parts that no second may exceed, 0
where the period alone decides.
State is read once per call and written once, by `write_gates`; so are the messages that a call adds to a last
second, unless it must look into that list.
]==]

local LONGEST_PARTS = 32           -- more than the longest text has, so a cut debt is never a real one
local WINDOW_US = 1020000          -- a second, and what a call may be early or late on its way to the carrier
local CATCH_UP_US = 200000         -- of a wait for room in the second, as much may be made up for
local RECIPIENT_US = 1030000       -- the same for the one message a second that a phone may get
local DAY_US = 86400 * SECOND_US
local HOUR_US = 3600 * SECOND_US
local IN_PACIFIC_TIME = 'pt:'      -- how the names of caps begin whose day is T-Mobile's; all others are of UTC

local gates, known_terms = {}, {}
local gate_now, gate_ahead, gate_injected

local function now_is(now, ahead, injected)
  gate_now, gate_ahead, gate_injected = now, ahead, injected
end

local function log_of(name)
  return key('w:' .. name)
end

-- A gate's TAT, and the parts that its last second holds, those of its last charge and the us that one cost then.
local function read_gate(name)
  local tat, sum, parts, cost = (redis.call('GET', key(name)) or '0'):match('^(%d+):?(%d*):?(%d*):?(%d*)$')
  return tonumber(tat), tonumber(sum) or 0, tonumber(parts) or 0, tonumber(cost) or 0
end

-- When a gate opens at the period that it has now: what went last is paid for at today's rate, not at the old one.
local function tat_at(period, tat, parts, cost)
  return math.max(tat + parts * (period - cost), 0)
end

local function gate(spec)
  local name, period, bound = spec[1], spec[2], spec[3]
  local found = gates[name]
  if found then
    return found
  end
  local tat, sum, parts, cost = read_gate(name)
  found = { tat = tat_at(period, tat, parts, cost), sum = sum, parts = parts, period = period, windowed = bound > 0,
            changed = false, full = {}, newest = 0, rows = {} }
  local furthest = gate_now + gate_ahead + SECOND_US + LONGEST_PARTS * period
  if found.tat > furthest then
    found.tat, found.sum, found.parts, found.changed = furthest, 0, 0, true
  end
  if found.sum == 0 and found.windowed then
    redis.call('DEL', log_of(name))
  end
  gates[name] = found
  return found
end

local function write_log(name, state)
  if #state.rows > 0 then
    redis.call('RPUSH', log_of(name), unpack(state.rows))
    state.rows = {}
  end
end

local function read_log(row)
  local at, parts = row:match('(%d+):(%d+)')
  return tonumber(at), tonumber(parts)
end

-- When so many of the last second's parts are over that n more stay within the bound. `full` keeps the answers
-- by parts until the second changes.
local function window_opens_at(name, state, bound, parts)
  local over, open = state.sum + parts - bound, state.full[parts] or 0
  if over <= 0 or state.full[parts] then
    return open
  end
  write_log(name, state)
  for _, row in ipairs(redis.call('LRANGE', log_of(name), 0, over - 1)) do
    local at, gone = read_log(row)
    open, over = math.max(open, at + WINDOW_US), over - gone -- what came late stands in its old place
    if over <= 0 then
      break
    end
  end
  state.full[parts] = open
  return open
end

local function opens_at(spec, parts)
  local state = gate(spec)
  if spec[3] == 0 then
    return state.tat
  end
  return math.max(state.tat, state.newest, window_opens_at(spec[1], state, spec[3], parts))
end

local function log_parts(name, state, bound, at, parts)
  state.full = {}
  while state.sum + parts > bound do
    write_log(name, state)
    local row = redis.call('LPOP', log_of(name))
    if not row then
      state.sum = 0
      break
    end
    local _, gone = read_log(row)
    state.sum = math.max(state.sum - gone, 0)
  end
  state.rows[#state.rows + 1] = whole(math.ceil(at)) .. ':' .. parts
  state.sum = state.sum + parts
end

-- Whoever waited for room in the second, and not for the period, has not lost that time to those behind: they
-- follow it as closely as if it had gone when its period was over. A gate that rested has nothing to make up for.
local function charge(spec, at, parts)
  local state, stalled = gate(spec), 0
  if spec[3] > 0 then
    stalled = window_opens_at(spec[1], state, spec[3], parts) - state.tat
    stalled = math.min(math.max(stalled, 0), CATCH_UP_US)
    log_parts(spec[1], state, spec[3], at, parts)
  end
  state.tat, state.parts, state.changed = math.max(state.tat, at - stalled) + parts * spec[2], parts, true
  state.newest = at                -- what may follow closely does not go before it
end

local function charge_all(of_channel, terms, at, parts)
  for _, each in ipairs(of_channel) do
    charge(each, at, parts)
  end
  if terms.gate then
    charge(terms.gate, at, parts)
  end
end

-- Take back the newest charge of a gate, if it is this one, and say whether; whoever came after stands on it. The
-- gate was open at the instant it had, and is so again.
local function uncharge(spec, at, parts)
  local state = gate(spec)
  if spec[3] > 0 then
    write_log(spec[1], state)
    if redis.call('LINDEX', log_of(spec[1]), -1) ~= whole(math.ceil(at)) .. ':' .. parts then
      return false
    end
    redis.call('RPOP', log_of(spec[1]))
    state.sum, state.full = math.max(state.sum - parts, 0), {}
  elseif state.tat > at + parts * spec[2] + 2 then
    return false
  end
  state.tat, state.parts, state.changed = math.min(state.tat, at), 0, true
  return true
end

local function lifetime_ms(until_us)
  if gate_injected ~= '' then
    return DAY_US / 1000           -- injected time runs at its own pace; expiry only tidies up
  end
  return math.max(math.ceil((until_us - gate_now) / 1000), 0) + 1
end

local function write_gates()
  for name, state in pairs(gates) do
    if state.changed then
      local value, lifetime = whole(math.ceil(state.tat)), whole(lifetime_ms(state.tat + 2 * WINDOW_US))
      value = value .. ':' .. (state.windowed and state.sum or '') .. ':' .. state.parts .. ':' .. whole(state.period)
      redis.call('SET', key(name), value, 'PX', lifetime)
      if state.windowed then
        write_log(name, state)
        redis.call('PEXPIRE', log_of(name), lifetime)
      end
    end
  end
end

-- How far Pacific time is behind UTC: seven hours from the second Sunday of March to the first one of November,
-- from 2 o'clock on, and eight otherwise. The year is a day wrong at its ends at most, which are both in winter.
local function behind_utc_us(at)
  local year = math.floor(1970 + at / DAY_US / 365.2425)
  local march = 365 * year + math.floor(year / 4) - math.floor(year / 100) + math.floor(year / 400) - 719468
  local november = march + 245
  local second_sunday = march + (3 - march) % 7 + 7 -- day 0 was a Thursday
  local first_sunday = november + (3 - november) % 7
  local summer = at >= second_sunday * DAY_US + 10 * HOUR_US and at < first_sunday * DAY_US + 9 * HOUR_US
  return (summer and 7 or 8) * HOUR_US
end

-- The day of a cap in which an instant lies, counted from 1970, and the instant in us at which it ends.
local function day_of(name, at)
  if name:sub(1, #IN_PACIFIC_TIME) ~= IN_PACIFIC_TIME then
    local day = math.floor(at / DAY_US)
    return day, (day + 1) * DAY_US
  end
  local day = math.floor((at - behind_utc_us(at)) / DAY_US)
  local midnight = (day + 1) * DAY_US
  return day, midnight + behind_utc_us(midnight + 8 * HOUR_US)
end

-- The gates and the daily caps that a channel's cfg names; a throttled one goes at a share of its rate.
local function gates_and_caps(channel, packed, share)
  local cfg = cmsgpack.unpack(packed)
  local bound = cfg[2] > 0 and math.max(math.floor(cfg[2] * share), 1) or 0
  local found, caps = { { 'g:c:' .. channel, cfg[1] / share, bound } }, {}
  for _, shared in ipairs(cfg[3]) do
    found[#found + 1] = { 'g:s:' .. shared[1], shared[2], shared[3] }
  end
  for _, cap in ipairs(cfg[4]) do
    local day, ends = day_of(cap[1], gate_now)
    caps[#caps + 1] = { name = cap[1], counter = 'd:' .. cap[1] .. ':' .. whole(day), parts = cap[2],
                        elsewhere = 'x:' .. cap[1] .. ':' .. whole(day),
                        ends = ends + gate_ahead } -- no instant of the next day is given out before it begins
  end
  return found, caps
end

-- The terms of a tenant in a country, by their field; read once.
local function tenant_terms(field)
  if not known_terms[field] then
    local packed = redis.call('HGET', key('terms'), field)
    local row = packed and cmsgpack.unpack(packed) or { 0, 1, 0, 0 }
    known_terms[field] = { weight = row[2], gate = row[3] > 0 and { 'g:t:' .. field, row[3], row[4] } or nil }
  end
  return known_terms[field]
end

-- Parts of the day, less those that are known to have gone to other carriers.
local function used_today(cap)
  local row = redis.call('MGET', key(cap.counter), key(cap.elsewhere))
  return math.max(tonumber(row[1] or 0) - tonumber(row[2] or 0), 0)
end

-- A message longer than the whole day's cap goes alone; otherwise it would wait for ever.
local function fits_today(cap, parts)
  local used = used_today(cap)
  return used == 0 or used + parts <= cap.parts
end

local function count_today(cap, parts)
  redis.call('INCRBY', key(cap.counter), parts)
  redis.call('PEXPIRE', key(cap.counter), whole(lifetime_ms(cap.ends + SECOND_US)))
end

local function write_recipient(hash, last, free)
  redis.call('SET', key('to:' .. hash), whole(last) .. ':' .. whole(free),
             'PX', whole(lifetime_ms(math.max(free, last + RECIPIENT_US))))
end
