--[==[
Let whoever claims next rebuild one route's lanes: they hold what nobody here wrote.

KEYS[1]   {r:<route>}
]==]

return { redis.call('DEL', KEYS[1] .. ':epoch') }
