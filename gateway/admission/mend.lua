--[==[
Take away what somebody else wrote under one tenant's keys: whatever is of another kind than admission writes, and
what is no number where it counts.

The policy goes with it, in the same instant. Without one the tenant is "unprojected" and all of it is written
anew; with one, an opt-out list that is gone would read as an empty one.

KEYS[1]    {t:<tenant uuid hex>}    see admit.lua
ARGV[1..]  keys without that prefix and the colon, each with the kind that it has to be of, a type of Redis's or
           'number'; a few hundred at most

Returns {taken}: how many were of another kind.
]==]

local wrong = {}

local function kind_of(name)
  local kind = redis.call('TYPE', name).ok
  if kind == 'string' and redis.call('GET', name):find('^%d+$') then
    return 'number'
  end
  return kind
end

for at = 1, #ARGV, 2 do
  local name = KEYS[1] .. ':' .. ARGV[at]
  local kind = kind_of(name)
  if kind ~= 'none' and kind ~= ARGV[at + 1] then
    wrong[#wrong + 1] = name
  end
end
if #wrong > 0 then
  redis.call('UNLINK', KEYS[1] .. ':policy', unpack(wrong))
end
return { #wrong }
