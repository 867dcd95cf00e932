--[==[
Write what Postgres says about a tenant, so that admit.lua never has to ask Postgres.

A policy replaces an older or equal one, never a newer one. Lists of recipients are replaced as a whole:
`begin` takes a lock and starts a journal, the caller reads Postgres and fills new lists aside, `finish` swaps
them in, replays the journal and only then says `optouts_ready`. A change that arrives between the read and the
swap is in the journal, so it is not lost.

A list is an opt-out list, which is a set, or, where its name begins with `override/`, the number overrides of a
protect configuration, which is a hash: what is said of a recipient travels as the value.

KEYS[1]   {t:<tenant uuid hex>}    the prefix of every key below; the braces put them all in one slot

    policy               hash    see admit.lua; `use_cases` names the lists that exist
    optout:<use case>    set
    override:<hex>       hash    of the list `override/<hex>`
    replacing            string  the token of who replaces the lists; expires
    journal              list    '+' or '-', list, hash, value: four elements per change; expires
    next:<list>          set, hash; a new list, still aside; expires
    pump:held            hash    see pumping.lua

ARGV[1]   operation, then its arguments:
  policy   version, field, value, ...        {1}, or {0} when a newer version is there
  begin    token, lock ms                    {1}, or {0} when somebody else is replacing
  fill     token, lock ms, list, hash...     {1}, or {0} when the lock is lost; of overrides: hash, value, ...
  finish   token, list...                    {1}, or {0} when the lock is lost, or no policy is there
  add      list, hash, value                 {1}; the value is '' for an opt-out
  remove   list, hash                        {1}
  hold     lives ms, then workflow, prefix, until ms, rule, enforced of each
                                             {1}; one that is there and ends later stays
  lift     workflow, prefix                  {1}, or {0} where pumping.lua holds no such thing
]==]

local prefix = KEYS[1]
local policy, lock, journal = prefix .. ':policy', prefix .. ':replacing', prefix .. ':journal'
local CHUNK = 1000
local ASIDE_LIVES = 10             -- a set filled early waits for the others; a lost lock still gives it up
local KEPT = { 'optouts_ready', 'use_cases' }

local OVERRIDES = '^override/(.+)$'

local function has_values(name)
  return name:find(OVERRIDES) ~= nil
end

local function recipients(name)
  local configuration = name:match(OVERRIDES)
  return configuration and prefix .. ':override:' .. configuration or prefix .. ':optout:' .. name
end

local function aside(name)
  return prefix .. ':next:' .. name
end

local function in_chunks(first, write)
  for start = first, #ARGV, CHUNK do
    write(unpack(ARGV, start, math.min(start + CHUNK - 1, #ARGV)))
  end
end

local function listed()
  local found = {}
  for use_case in (redis.call('HGET', policy, 'use_cases') or ''):gmatch('[^,]+') do
    found[use_case] = true
  end
  return found
end

local function list(use_cases)
  local names = {}
  for use_case in pairs(use_cases) do
    names[#names + 1] = use_case
  end
  redis.call('HSET', policy, 'use_cases', table.concat(names, ','))
end

local function change(sign, name, hash, value)
  local key = recipients(name)
  if sign == '-' then
    redis.call(has_values(name) and 'HDEL' or 'SREM', key, hash)
    return
  end
  if has_values(name) then
    redis.call('HSET', key, hash, value)
  else
    redis.call('SADD', key, hash)
  end
  local known = listed()
  if not known[name] then
    known[name] = true
    list(known)
  end
end

local operations = {}

function operations.policy()
  local version = tonumber(ARGV[2])
  if version < (tonumber(redis.call('HGET', policy, 'version') or -1) or -1) then -- what is no number goes
    return 0
  end
  local kept = redis.call('HMGET', policy, unpack(KEPT))
  redis.call('DEL', policy)
  in_chunks(3, function(...) redis.call('HSET', policy, ...) end)
  redis.call('HSET', policy, 'version', ARGV[2])
  for at, field in ipairs(KEPT) do
    if kept[at] then
      redis.call('HSET', policy, field, kept[at])
    end
  end
  return 1
end

function operations.begin()
  if not redis.call('SET', lock, ARGV[2], 'NX', 'PX', ARGV[3]) then
    return 0
  end
  redis.call('DEL', journal)
  return 1
end

function operations.fill()
  if redis.call('GET', lock) ~= ARGV[2] then
    return 0
  end
  redis.call('PEXPIRE', lock, ARGV[3])
  redis.call('PEXPIRE', journal, ARGV[3])
  local write = has_values(ARGV[4]) and 'HSET' or 'SADD'
  in_chunks(5, function(...) redis.call(write, aside(ARGV[4]), ...) end)
  redis.call('PEXPIRE', aside(ARGV[4]), ARGV[3] * ASIDE_LIVES)
  return 1
end

function operations.finish()
  if redis.call('GET', lock) ~= ARGV[2] or redis.call('EXISTS', policy) == 0 then
    return 0
  end
  for at = 3, #ARGV do
    if redis.call('EXISTS', aside(ARGV[at])) == 0 then
      return 0
    end
  end
  for name in pairs(listed()) do
    redis.call('UNLINK', recipients(name))
  end
  local now_listed = {}
  for at = 3, #ARGV do
    redis.call('RENAME', aside(ARGV[at]), recipients(ARGV[at]))
    redis.call('PERSIST', recipients(ARGV[at]))
    now_listed[ARGV[at]] = true
  end
  list(now_listed)
  local changes = redis.call('LRANGE', journal, 0, -1)
  for at = 1, #changes, 4 do
    change(changes[at], changes[at + 1], changes[at + 2], changes[at + 3])
  end
  redis.call('DEL', journal, lock)
  redis.call('HSET', policy, 'optouts_ready', '1')
  return 1
end

local function record(sign)
  if redis.call('EXISTS', lock) == 1 then
    redis.call('RPUSH', journal, sign, ARGV[2], ARGV[3], ARGV[4] or '')
    redis.call('PEXPIRE', journal, redis.call('PTTL', lock))
  end
  if redis.call('HGET', policy, 'optouts_ready') == '1' then
    change(sign, ARGV[2], ARGV[3], ARGV[4])
  end
  return 1
end

function operations.add()
  return record('+')
end

function operations.remove()
  return record('-')
end

function operations.hold()
  local held = prefix .. ':pump:held'
  for at = 3, #ARGV, 5 do
    local field, until_ms = ARGV[at] .. '|' .. ARGV[at + 1], tonumber(ARGV[at + 2])
    local known = (redis.call('HGET', held, field) or ''):match('^(%d+)')
    if until_ms > tonumber(known or 0) then
      redis.call('HSET', held, field, string.format('%.0f,%d,%d', until_ms, ARGV[at + 3], ARGV[at + 4]))
    end
  end
  redis.call('PEXPIRE', held, math.max(tonumber(ARGV[2]), redis.call('PTTL', held)))
  return 1
end

function operations.lift()
  local field = ARGV[2] .. '|' .. ARGV[3]
  redis.call('HDEL', prefix .. ':pump:held', '#' .. field)
  return redis.call('HDEL', prefix .. ':pump:held', field)
end

return { operations[ARGV[1]]() }
