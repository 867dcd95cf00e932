--[==[
Forget leases: Postgres holds the mark that says who sends these messages.

ARGV[1..n]   message ids, 16 bytes each; of one claim, so fewer than Lua can unpack

Returns {count} of leases that were still held.
]==]

redis.call('ZREM', key('lease'), unpack(ARGV))
return { redis.call('HDEL', key('flight'), unpack(ARGV)) }
