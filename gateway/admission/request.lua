--[==[
May a request enter that carries many messages? It counts once, however many they are; each of them then asks
admit.lua, which does not count the request again. Stands behind rates.lua in the same script.

KEYS[1]   {t:<tenant uuid hex>}   the prefix of every key; admit.lua describes the layout
ARGV[1]   1 for a live key, 0 for a test key
ARGV[2]   the time in us, '' for Redis's own (tests inject it)

Returns {code, a, b} as admit.lua does: 0 admitted, 1 unprojected, 20 rate_limited.
]==]

local row = redis.call('HMGET', KEYS[1] .. ':policy', 'version', 'request_us')
local request_us = tonumber(row[2] or 0)
if not row[1] or not request_us then
  return { 1, 0, 0 }
end
local now = rates.now_us(ARGV[2])
local requests = rates.look(rates.key(KEYS[1], ARGV[1] == '1'), request_us, 1, now)
if requests and requests.wait > 0 then
  return { 20, rates.milliseconds(requests.wait), 0 }
end
if requests then
  rates.charge(requests, now)
end
local left, whole = rates.left(requests, now)
return { 0, left, whole, -1, 0 }
