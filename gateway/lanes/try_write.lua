--[==[
Write a little, to learn whether Redis takes writes: a replica, a full memory and a failed dump refuse.

KEYS[1]   {r:<route>}
]==]

redis.call('SET', KEYS[1] .. ':tried', '1', 'PX', 1000)
return { 1 }
