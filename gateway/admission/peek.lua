--[==[
What would admit.lua say of a send, as far as counters say it? Reads what admit.lua charges, and charges nothing.
Stands behind rates.lua and pumping.lua in the same script.

KEYS[1]   {t:<tenant uuid hex>}   the prefix of every key; admit.lua describes the layout
ARGV[1]   country
ARGV[2]   the time in us, '' for Redis's own (tests inject it)
ARGV[3]   the probe of pumping.lua, '' for traffic that is not watched
ARGV[4]   recipient hash
ARGV[5]   1 for a live key, 0 for a test key

Returns {known, requests, country, left, whole, today, ends, noted, parts, parts_whole} and, where pumping.lua
refuses: ms, rule, scope, until ms.

    known      0 while Redis has no policy of the tenant
    requests   ms until the gate opens, 0 for open, -1 for a plan without that rate; `country` likewise
    left       the requests that may come at once
    whole      ms until all of that allowance is back
    today      live messages to the country on this UTC day
    ends       ms until the day does
    noted      1 where the traffic looks like pumping and is only watched
    parts      the message parts that may go to the country at once, and the ms until all of that is back
]==]

local prefix, country = KEYS[1], ARGV[1]
local rate_key = rates.key(prefix, ARGV[5] == '1')
local DAY_US = 86400 * rates.SECOND_US

local row = redis.call('HMGET', prefix .. ':policy', 'version', 'request_us', 'm:' .. country)
local request_us, part_us = tonumber(row[2] or 0), tonumber(row[3] or 0)
if not (row[1] and request_us and part_us) then
  return { 0, -1, -1, 0, 0, 0, 0, 0, 0, 0 }
end

local now = rates.now_us(ARGV[2])

-- When a rate opens, how much of it is left, and when all of it is.
local function look(key, period)
  local each = rates.read(key, period, now)
  if not each then
    return -1, 0, 0
  end
  return math.max(rates.milliseconds(each.wait), 0), rates.left(each, now)
end

local day = math.floor(now / DAY_US)
local today = rates.counter(redis.call('GET', prefix .. ':day:' .. country .. ':' .. string.format('%.0f', day)))
local requests, left, whole = look(rate_key, request_us)
local of_country, parts, parts_whole = look(rate_key .. ':' .. country, part_us)
local probe = pumping.read(ARGV[3], prefix, country, ARGV[4])
local held = probe and pumping.gate(probe, math.floor(now / 1000))
local answer = {
  1, requests, of_country, left, whole, today, rates.milliseconds((day + 1) * DAY_US - now),
  probe and probe.noted and 1 or 0, parts, parts_whole,
}
for _, each in ipairs(held or {}) do
  answer[#answer + 1] = each
end
return answer
