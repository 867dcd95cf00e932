--[==[
When would the tenant's rates admit a send? Reads what admit.lua charges, and charges nothing.

KEYS[1]   {t:<tenant uuid hex>}   the prefix of every key; admit.lua describes the layout
ARGV[1]   country
ARGV[2]   the time in us, '' for Redis's own (tests inject it)

Returns {known, requests, country, left, whole}: known is 0 while Redis has no policy of the tenant; the next
two are the us until the gate opens, 0 for open, -1 for a plan without that rate. `left` are the requests that
may come at once, `whole` the us until all of the allowance is back.
]==]

local prefix, country = KEYS[1], ARGV[1]
local SECOND_US = 1000000
local ROUNDING = 0.01
local ROUNDING_US = 10

local row = redis.call('HMGET', prefix .. ':policy', 'version', 'request_us', 'm:' .. country)
if not row[1] then
  return { 0, -1, -1, 0, 0 }
end

local function now_us()
  if ARGV[2] ~= '' then
    return tonumber(ARGV[2])
  end
  local time = redis.call('TIME')
  return tonumber(time[1]) * SECOND_US + tonumber(time[2])
end

local now = now_us()

-- When a rate opens, and how much of it is left.
local function look(name, period)
  if period == 0 then
    return -1, 0, 0
  end
  local burst = math.max(math.floor(SECOND_US / period + ROUNDING), 1)
  local tau = (burst - 1) * period + ROUNDING_US
  local tat = math.max(tonumber(redis.call('GET', prefix .. name) or 0), now)
  local left = math.floor((now + tau - tat) / period + ROUNDING) + 1
  return math.max(math.ceil(tat - tau - now), 0), math.max(left, 0), math.ceil(tat - now)
end

local requests, left, whole = look(':rate', tonumber(row[2] or 0))
local of_country = look(':rate:' .. country, tonumber(row[3] or 0))
return { 1, requests, of_country, left, whole }
