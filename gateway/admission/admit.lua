--[==[
May this message enter? One call, every gate, in the order in which a person would want to be told.

Gates that no waiting opens come first; gates that open by themselves come last and say when. Rates are
charged only when all gates are open, so a refusal costs the tenant nothing. Whatever is missing here is
"unprojected": a lost Redis must not read as an empty opt-out list. So is what is no number where one has to be.

The request rate is that of rates.lua; a message whose request was counted by request.lua, as one of a
batch, does not count it again. The country rate of plans that refuse has the same form, counted in parts; a
message longer than the allowance passes when the gate is open and is paid for afterwards. Live and test
keys have rates of their own, at the same figures: what a developer tries out never keeps a customer's
message back. A scheduled message is none of the country's rate today: it is queued when it is due.

KEYS[1]    {t:<tenant uuid hex>}    the prefix of every key below; the braces put them all in one slot

    policy            hash    version state live free_text optouts_ready request_us
                              c:<country> = 1, t:<template hex> = ,1,2, m:<country> = us per part,
                              d:<country> = live messages a UTC day, and
                              p:<configuration hex>:<channel>:<country> = 1 where protect rules say BLOCK
    optout:<use case> set     keyed hashes of recipients
    override:<configuration hex>
                      hash    keyed hash of a recipient = A or B (always allow, always block), then the
                              override's expiry in ms since 1970, 0 for none
    rate              string  TAT of the request rate in us; expires when it says nothing more
    rate:<country>    string  TAT of the country's refusing rate
    test:rate, test:rate:<country>
                      string  the same of test keys
    day:<country>:<n> string  live messages admitted on the n-th UTC day since 1970; expires with the day after
    pump:…                    see pumping.lua, which stands before this file in the same script, as rates.lua does

ARGV[1]    the caller's policy version
ARGV[2]    1 for a live key, 0 for a test key
ARGV[3]    country
ARGV[4]    template id in hex, '' for free text
ARGV[5]    template version
ARGV[6]    recipient hash
ARGV[7]    parts
ARGV[8]    estimated wait in ms
ARGV[9]    life of the message in ms
ARGV[10]   the time in us, '' for Redis's own (tests inject it)
ARGV[11]   the protect configuration in force, in hex, '' for none
ARGV[12]   channel
ARGV[13]   the probe of pumping.lua, '' for traffic that is not watched
ARGV[14]   1 for a scheduled message, which waits for its time, else 0
ARGV[15]   1 where its request is counted already, else 0
ARGV[16..] use cases whose opt-out lists forbid the message

Protect rules are closed by the destination and charged by nobody. The caller has found the configuration
(request, set, tenant, account); the policy's version proves that it is still the one. Within it a number's
override stands before its country's rule, and the gates above it (country allowlist, opt-out) before both.

Returns {code, a, b, ...}; verdict.py is the only place that reads it:

     0  admitted              a: requests left, -1 for no rate      b: ms until the allowance is whole,
                              then the same of the country's parts
                              and, where it raised a hold: rule, scope, until ms, 1 if it refuses from now on
     1  unprojected
     2  stale policy          a: the version that holds
    10  tenant_suspended      11  not_live      12  template_required    13  template_not_allowed
    14  country_not_allowed   15  opted_out
    16  protect_blocked, country rule           17  protect_blocked, number override
    18  pumping_suspected     a: ms until it opens    b: rule, and then: scope, until ms
    20  rate_limited, requests                  a: ms until it opens
    21  rate_limited, country                   a: ms until it opens
    22  queue_full                              a: ms until the wait would fit
    23  daily_cap_reached                       a: ms until the next UTC day
]==]

local prefix = KEYS[1]
local DAY_US = 86400 * rates.SECOND_US
local FIRST_USE_CASE = 16
local ALWAYS_ALLOW = 'A'

local held_version, live_key, country = tonumber(ARGV[1]), ARGV[2] == '1', ARGV[3]
local template, template_version, recipient = ARGV[4], ARGV[5], ARGV[6]
local parts, wait_ms, life_ms = tonumber(ARGV[7]), tonumber(ARGV[8]), tonumber(ARGV[9])
local protect, channel, scheduled, counted = ARGV[11], ARGV[12], ARGV[14] == '1', ARGV[15] == '1'
local rate_key = rates.key(prefix, live_key)

local row = redis.call('HMGET', prefix .. ':policy', 'version', 'state', 'live', 'free_text', 'optouts_ready',
                       'request_us', 'c:' .. country, 't:' .. template, 'm:' .. country, 'd:' .. country,
                       'p:' .. protect .. ':' .. channel .. ':' .. country)
local version, state, live, free_text, ready = tonumber(row[1] or -1), row[2], row[3], row[4], row[5]
local request_us, allowed_country, approved, part_us = tonumber(row[6] or 0), row[7], row[8], tonumber(row[9] or 0)
local day_cap = tonumber(row[10] or 0)
local readable = version and request_us and part_us and day_cap

local function opted_out()
  for at = FIRST_USE_CASE, #ARGV do
    if redis.call('SISMEMBER', prefix .. ':optout:' .. ARGV[at], recipient) == 1 then
      return true
    end
  end
  return false
end

-- The live messages to the country today, where the plan caps them.
local function today(now)
  if day_cap == 0 or not live_key then
    return nil
  end
  local day = math.floor(now / DAY_US)
  local key = prefix .. ':day:' .. country .. ':' .. string.format('%.0f', day)
  local admitted = rates.counter(redis.call('GET', key))
  return { key = key, admitted = admitted, open = admitted < day_cap, ends = (day + 1) * DAY_US }
end

-- Return 'A' or 'B' for a recipient with an override that holds, or nil; at its expiry it is over. Second, whether
-- nobody can read it.
local function override()
  local said = protect ~= '' and redis.call('HGET', prefix .. ':override:' .. protect, recipient)
  if not said then
    return nil
  end
  local until_ms = tonumber(said:sub(2))
  if not until_ms then
    return nil, true
  end
  if until_ms > 0 and until_ms * 1000 <= rates.now_us(ARGV[10]) then
    return nil
  end
  return said:sub(1, 1)
end

local function protected()
  local said, unreadable = override()
  if unreadable then
    return 1
  end
  if said then
    return said ~= ALWAYS_ALLOW and 17 or nil
  end
  return row[11] and 16 or nil
end

-- Return the code of the first gate that no waiting opens, or nil.
local function closed_gate()
  if not readable or version < held_version or ready ~= '1' then
    return 1
  elseif version > held_version then
    return 2
  elseif state ~= 'active' then
    return 10
  elseif live_key and live ~= '1' then
    return 11
  elseif template == '' and free_text ~= '1' then
    return 12
  elseif template ~= '' and not (approved and approved:find(',' .. template_version .. ',', 1, true)) then
    return 13
  elseif not allowed_country then
    return 14
  elseif opted_out() then
    return 15
  end
  return protected()
end

local closed = closed_gate()
if closed then
  return { closed, version or 0, 0 }
end

local now = rates.now_us(ARGV[10])
local probe = pumping.read(ARGV[13], prefix, country, recipient)
local suspected = probe and pumping.gate(probe, math.floor(now / 1000))
if suspected then
  return { 18, suspected[1], suspected[2], suspected[3], suspected[4] }
end
local requests = not counted and rates.look(rate_key, request_us, 1, now)
if requests and requests.wait > 0 then
  return { 20, rates.milliseconds(requests.wait), 0 }
end
local in_country = not scheduled and rates.look(rate_key .. ':' .. country, part_us, parts, now)
if in_country and in_country.wait > 0 then
  return { 21, rates.milliseconds(in_country.wait), 0 }
end
if wait_ms > life_ms then
  return { 22, wait_ms - life_ms, 0 }
end
local capped = today(now)
if capped and not capped.open then
  return { 23, rates.milliseconds(capped.ends - now), 0 }
end
if capped then
  redis.call('SET', capped.key, string.format('%.0f', capped.admitted + 1),
             'PX', rates.milliseconds(capped.ends - now + DAY_US))
end

if in_country then
  rates.charge(in_country, now)
end
if requests then
  rates.charge(requests, now)
end
local left, whole = rates.left(requests, now)
local parts_left, parts_whole = rates.left(in_country, now)
local answer = { 0, left, whole, parts_left, parts_whole }
for _, each in ipairs(probe and pumping.count(probe, now) or {}) do
  answer[#answer + 1] = each
end
return answer
