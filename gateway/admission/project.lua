--[==[
Write what Postgres says about a tenant, so that admit.lua never has to ask Postgres.

A policy replaces an older or equal one, never a newer one. Opt-outs are replaced as a whole: `begin` takes a
lock and starts a journal, the caller reads Postgres and fills new sets aside, `finish` swaps them in, replays
the journal and only then says `optouts_ready`. An opt-out that arrives between the read and the swap is in the
journal, so it is not lost.

KEYS[1]   {t:<tenant uuid hex>}    the prefix of every key below; the braces put them all in one slot

    policy               hash    see admit.lua; `use_cases` lists the opt-out sets that exist
    optout:<use case>    set
    replacing            string  the token of who replaces the opt-outs; expires
    journal              list    '+' or '-', use case, hash: three elements per change; expires
    next:<use case>      set     the new opt-outs, still aside; expires

ARGV[1]   operation, then its arguments:
  policy   version, field, value, ...        {1}, or {0} when a newer version is there
  begin    token, lock ms                    {1}, or {0} when somebody else is replacing
  fill     token, lock ms, use case, hash... {1}, or {0} when the lock is lost
  finish   token, use case...                {1}, or {0} when the lock is lost, or no policy is there
  add      use case, hash                    {1}
  remove   use case, hash                    {1}
]==]

local prefix = KEYS[1]
local policy, lock, journal = prefix .. ':policy', prefix .. ':replacing', prefix .. ':journal'
local CHUNK = 1000
local ASIDE_LIVES = 10             -- a set filled early waits for the others; a lost lock still gives it up
local KEPT = { 'optouts_ready', 'use_cases' }

local function optouts(use_case)
  return prefix .. ':optout:' .. use_case
end

local function aside(use_case)
  return prefix .. ':next:' .. use_case
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

local function change(sign, use_case, hash)
  local known = listed()
  if sign == '+' then
    redis.call('SADD', optouts(use_case), hash)
    known[use_case] = true
    list(known)
  else
    redis.call('SREM', optouts(use_case), hash)
  end
end

local operations = {}

function operations.policy()
  local version = tonumber(ARGV[2])
  if version < tonumber(redis.call('HGET', policy, 'version') or -1) then
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
  in_chunks(5, function(...) redis.call('SADD', aside(ARGV[4]), ...) end)
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
  for use_case in pairs(listed()) do
    redis.call('UNLINK', optouts(use_case))
  end
  local now_listed = {}
  for at = 3, #ARGV do
    redis.call('RENAME', aside(ARGV[at]), optouts(ARGV[at]))
    redis.call('PERSIST', optouts(ARGV[at]))
    now_listed[ARGV[at]] = true
  end
  list(now_listed)
  local changes = redis.call('LRANGE', journal, 0, -1)
  for at = 1, #changes, 3 do
    change(changes[at], changes[at + 1], changes[at + 2])
  end
  redis.call('DEL', journal, lock)
  redis.call('HSET', policy, 'optouts_ready', '1')
  return 1
end

local function record(sign)
  if redis.call('EXISTS', lock) == 1 then
    redis.call('RPUSH', journal, sign, ARGV[2], ARGV[3])
    redis.call('PEXPIRE', journal, redis.call('PTTL', lock))
  end
  if redis.call('HGET', policy, 'optouts_ready') == '1' then
    change(sign, ARGV[2], ARGV[3])
  end
  return 1
end

function operations.add()
  return record('+')
end

function operations.remove()
  return record('-')
end

return { operations[ARGV[1]]() }
