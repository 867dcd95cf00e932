--[==[
Delete what the lanes of one route hold, a page of Redis's keys at a time.

Whoever was slow may have lost the lock, and the lanes may be filled by another by now; so each page asks for
the lock, and prolongs it. The scan runs here and not at the caller: it then asks the node that holds the route
and no other, so nodes that are away are not missed.

What was already sent still counts, so its keys survive, unless they hold what nothing here writes there: then
somebody else did, and no claim can read it.

KEYS[1]   {r:<route>}
ARGV[1]   the epoch that is being rebuilt
ARGV[2]   milliseconds the lock lives from now on
ARGV[3]   the cursor that the page before returned, '0' for the first

Returns {held, cursor}: held 0 when the lock is lost and nothing was deleted; the cursor is '0' after the last page.
]==]

local COUNT = 1000                 -- keys looked at in a page, whosever they are: a fraction of a millisecond
local SURVIVES = {                 -- kind, and what a string, or each element of a list, looks like
  [':g:'] = { 'string', '^%d+:?%d*:?%d*:?%d*$' }, [':w:'] = { 'list', '^%d+:%d+$' }, [':to:'] = { 'string', '^%d+:%d+$' },
  [':d:'] = { 'string', '^%d+$' }, [':x:'] = { 'string', '^%d+$' }, [':rebuild'] = { 'hash' },
}
local lock = KEYS[1] .. ':rebuild'

local function is_readable(name, kind, form)
  if redis.call('TYPE', name).ok ~= kind then
    return false
  end
  local values = {}
  if kind == 'string' then
    values = { redis.call('GET', name) }
  elseif kind == 'list' then
    values = redis.call('LRANGE', name, 0, -1) -- a second's messages
  end
  for _, value in ipairs(values) do
    if not value:find(form) then
      return false
    end
  end
  return true
end

local function survives(name)
  local rest = name:sub(#KEYS[1] + 1)
  for begins, is in pairs(SURVIVES) do
    if rest:sub(1, #begins) == begins then
      return is_readable(name, is[1], is[2])
    end
  end
  return false
end

if redis.call('HGET', lock, 'epoch') ~= ARGV[1] then
  return { 0, '0' }
end
redis.call('PEXPIRE', lock, ARGV[2])

local page = redis.call('SCAN', ARGV[3], 'MATCH', KEYS[1] .. ':*', 'COUNT', COUNT)
for _, name in ipairs(page[2]) do
  if not survives(name) then
    redis.call('UNLINK', name)
  end
end
return { 1, page[1] }
