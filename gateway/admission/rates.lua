--[==[
One rate of a tenant's plan. Stands in front of the scripts that ask and charge it, or only look.

It is GCRA: open when TAT - now <= tau, then TAT = max(TAT, now) + cost * period. Its allowance is one second's
worth, at least one request. A key holds the TAT in us and expires when it says nothing more.

What is no number where a number has to be was written by somebody else. A counter with it is as good as one that
was lost, and is written anew; a policy with it is none.
]==]

local rates = {}

rates.SECOND_US = 1000000
local LONGEST_PARTS = 32           -- more than the longest text has
local ROUNDING = 0.01              -- 1 s / (1 s / 49) may fall short of 49
local ROUNDING_US = 10             -- and TATs are stored in whole microseconds

function rates.milliseconds(us)
  return math.ceil(us / 1000)
end

-- A counter as it is stored; 0 for none, and for what is no number.
function rates.counter(stored)
  return tonumber(stored or 0) or 0
end

-- The time in us: `given` by a test, or Redis's own where that is ''.
function rates.now_us(given)
  if given ~= '' then
    return tonumber(given)
  end
  local time = redis.call('TIME')
  return tonumber(time[1]) * rates.SECOND_US + tonumber(time[2])
end

-- The key of the tenant's request rate, and what those of its countries begin with; test keys have their own.
function rates.key(prefix, live)
  return prefix .. (live and ':rate' or ':test:rate')
end

-- One rate as it is stored; nil for a plan without it, whose period is 0. `wait` is the us until it opens.
function rates.read(key, period, now)
  if period == 0 then
    return nil
  end
  local burst = math.max(math.floor(rates.SECOND_US / period + ROUNDING), 1)
  local tau = (burst - 1) * period + ROUNDING_US
  local tat = math.max(rates.counter(redis.call('GET', key)), now)
  return { key = key, period = period, tau = tau, tat = tat, wait = tat - tau - now }
end

-- One rate that is to be charged `cost`, its TAT cut to what can be; nil for a plan without it.
function rates.look(key, period, cost, now)
  local each = rates.read(key, period, now)
  if not each then
    return nil
  end
  local furthest = now + each.tau + LONGEST_PARTS * period + rates.SECOND_US
  if each.tat > furthest then      -- a step of the clock, or an old, slower rate
    each.tat, each.wait = furthest, furthest - each.tau - now
    redis.call('SET', key, string.format('%.0f', furthest), 'PX', rates.milliseconds(furthest - now))
  end
  each.cost = cost
  return each
end

function rates.charge(each, now)
  each.tat = each.tat + each.cost * each.period
  redis.call('SET', each.key, string.format('%.0f', each.tat), 'PX', rates.milliseconds(each.tat - now) + 1)
end

-- Return how much may come at once, and the ms until the whole allowance is back; -1 and 0 for no rate.
function rates.left(each, now)
  if not each then
    return -1, 0
  end
  local left = math.floor((now + each.tau - each.tat) / each.period + ROUNDING) + 1
  return math.max(left, 0), rates.milliseconds(each.tat - now)
end
