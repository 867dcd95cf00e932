--[==[
Slow a lane that the carrier throttles, stop a line whose sender or account it refuses, and start it again.

All dispatchers share what is written here; the claim reads it with what it reads anyway.

throttled   The channel's rate is multiplied by CUT, at most once per SECOND_US however many calls were under
            way, and recovers evenly over RECOVERY_US (`share_of` in structure.lua). AWS's ThrottlingException
            does not say whether the identity's parts per second or the account's requests per second were
            too many. One lane alone is its identity's; when more than half of the lanes that wait were
            throttled within WINDOW_US, and two at least, the route's requests are cut as well. With scope
            'lane' never: MMS and calls have a quota of their own at AWS, which says nothing about texts.
hold        The flow (its sender is at fault) or the route (its account is) takes one message per probe period
            from now on, the first when one has passed. The period begins at FIRST_PROBE_US and doubles with
            each probe that fails; failures of calls that were under way with the probe count as one.
resume      A probe came through: the line goes at its rate again.

ARGV[1]   'throttled', 'hold' or 'resume'
ARGV[2]   flow, 35 bytes, of the message that was answered for
ARGV[3]   hold and resume: 'flow' or 'route'; resume of the route also resumes the flow
          throttled: 'route', or 'lane' where the route is none of the fault's
ARGV[4]   the time in us, '' for Redis's own (tests inject it)

Returns {lane, route}: throttled and resume: 1 for each that changed; hold: {1 if it began now, period in us}.
Nothing changes, and {0, 0} is the answer, when the route has no epoch or has forgotten the channel.
]==]

local CUT = 0.7
local LEAST = 0.1                  -- a tenth of the rate finds out soon enough whether more is granted again
local WINDOW_US = 10 * SECOND_US
local FIRST_PROBE_US = 5 * SECOND_US
local LONGEST_PROBE_US = 60 * SECOND_US

local what, flow, scope = ARGV[1], ARGV[2], ARGV[3]
local name = channel_of(flow)

if redis.call('HEXISTS', key('epoch'), 'id') == 0 or redis.call('HEXISTS', key('ch:' .. name), 'cfg') == 0 then
  return { 0, 0 }
end
local now = lane_clock(ARGV[4])

local function cut(hash)
  local text = redis.call('HGET', key(hash), 'slow')
  local cut_at = text and tonumber(text:match(':(%d+)$'))
  if cut_at and now - cut_at < SECOND_US then
    return 0
  end
  local share = math.max(LEAST, share_of(text, now) * CUT)
  redis.call('HSET', key(hash), 'slow', string.format('%.4f', share) .. ':' .. whole(now))
  return 1
end

local function most_lanes_are_throttled()
  redis.call('ZADD', key('throttled'), whole(now), name)
  redis.call('ZREMRANGEBYSCORE', key('throttled'), '-inf', whole(now - WINDOW_US))
  redis.call('PEXPIRE', key('throttled'), whole(WINDOW_US / 1000))
  local waiting = 0
  for priority = 0, 2 do
    waiting = math.max(waiting, redis.call('ZCARD', key('ready:' .. priority)))
  end
  local throttled = redis.call('ZCARD', key('throttled'))
  return throttled >= 2 and throttled * 2 > waiting
end

local function look_again()
  for priority = 0, 2 do
    redis.call('ZADD', key('ready:' .. priority), 'XX', 'LT', whole(now), name)
  end
end

local function begin_hold(hash, field, gate)
  local text = redis.call('HGET', key(hash), field)
  local period, since = (text or ''):match('^(%d+):(%d+)$')
  if period and now - tonumber(since) < tonumber(period) then
    return { 0, tonumber(period) }
  end
  local next_period = period and math.min(tonumber(period) * 2, LONGEST_PROBE_US) or FIRST_PROBE_US
  redis.call('HSET', key(hash), field, whole(next_period) .. ':' .. whole(now))
  redis.call('SET', key(gate), whole(now + next_period), 'PX', whole(LONGEST_PROBE_US / 500))
  return { period and 0 or 1, next_period }
end

local function end_hold(hash, field, gate)
  redis.call('DEL', key(gate))
  return redis.call('HDEL', key(hash), field)
end

local function resume_flow()
  local ended = end_hold('held', flow, 'g:h:' .. flow)
  if ended == 1 then
    redis.call('ZADD', key('park:' .. lane_of(flow)), 'XX', 'LT', whole(now), tenant_of(flow))
    look_again()
  end
  return ended
end

if what == 'throttled' then
  return { cut('ch:' .. name), scope == 'route' and most_lanes_are_throttled() and cut('epoch') or 0 }
end
if what == 'hold' then
  if scope == 'route' then
    return begin_hold('epoch', 'probe', 'g:hold')
  end
  return begin_hold('held', flow, 'g:h:' .. flow)
end
local answer = { resume_flow(), scope == 'route' and end_hold('epoch', 'probe', 'g:hold') or 0 }
if answer[1] + answer[2] > 0 then
  wake_one()
end
return answer
