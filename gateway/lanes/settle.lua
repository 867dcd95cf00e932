--[==[
Forget leases: Postgres holds the mark that says who sends these messages.

ARGV[1..n]   message ids, 16 bytes each

Returns {count} of leases that were still held.
]==]

local held = 0
for _, id in ipairs(ARGV) do
  redis.call('ZREM', key('lease'), id)
  held = held + redis.call('HDEL', key('flight'), id)
end
return { held }
