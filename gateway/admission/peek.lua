--[==[
What would admit.lua say of a send, as far as counters say it? Reads what admit.lua charges, and charges nothing.
Stands behind pumping.lua in the same script.

KEYS[1]   {t:<tenant uuid hex>}   the prefix of every key; admit.lua describes the layout
ARGV[1]   country
ARGV[2]   the time in us, '' for Redis's own (tests inject it)
ARGV[3]   the probe of pumping.lua, '' for traffic that is not watched
ARGV[4]   recipient hash
ARGV[5]   1 for a live key, 0 for a test key

Returns {known, requests, country, left, whole, today, ends, noted, parts, parts_whole} and, where pumping.lua refuses: ms, rule, scope,
until ms.

    known      0 while Redis has no policy of the tenant
    requests   us until the gate opens, 0 for open, -1 for a plan without that rate; `country` likewise
    left       the requests that may come at once
    whole      the us until all of that allowance is back
    today      live messages to the country on this UTC day
    ends       ms until the day does
    noted      1 where the traffic looks like pumping and is only watched
    parts      the message parts that may go to the country at once, and the us until all of that is back
]==]

local prefix, country = KEYS[1], ARGV[1]
local rate_key = prefix .. (ARGV[5] == '1' and ':rate' or ':test:rate')
local SECOND_US = 1000000
local DAY_US = 86400 * SECOND_US
local ROUNDING = 0.01
local ROUNDING_US = 10

local row = redis.call('HMGET', prefix .. ':policy', 'version', 'request_us', 'm:' .. country)
if not row[1] then
  return { 0, -1, -1, 0, 0, 0, 0, 0, 0, 0 }
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
local function look(key, period)
  if period == 0 then
    return -1, 0, 0
  end
  local burst = math.max(math.floor(SECOND_US / period + ROUNDING), 1)
  local tau = (burst - 1) * period + ROUNDING_US
  local tat = math.max(tonumber(redis.call('GET', key) or 0), now)
  local left = math.floor((now + tau - tat) / period + ROUNDING) + 1
  return math.max(math.ceil(tat - tau - now), 0), math.max(left, 0), math.ceil(tat - now)
end

local day = math.floor(now / DAY_US)
local today = tonumber(redis.call('GET', prefix .. ':day:' .. country .. ':' .. string.format('%.0f', day)) or 0)
local requests, left, whole = look(rate_key, tonumber(row[2] or 0))
local of_country, parts, parts_whole = look(rate_key .. ':' .. country, tonumber(row[3] or 0))
local probe = pumping.read(ARGV[3], prefix, country, ARGV[4])
local held = probe and pumping.gate(probe, math.floor(now / 1000))
local answer = {
  1, requests, of_country, left, whole, today, math.ceil(((day + 1) * DAY_US - now) / 1000),
  probe and probe.noted and 1 or 0, parts, parts_whole,
}
for _, each in ipairs(held or {}) do
  answer[#answer + 1] = each
end
return answer
