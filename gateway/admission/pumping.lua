--[==[
Does this traffic look like SMS pumping (artificially inflated traffic)? Part of admit.lua, which asks `gate`
before it charges anything and calls `count` for what it admits.

People's numbers are scattered over the blocks of a thousand that carriers hand out; a pumper owns a few blocks
and uses them up. So everything is judged by block, per tenant, workflow and country, and counted in messages,
not in seconds: a patient pumper gains little. Three rules raise a hold, and each is O(1) per send:

    sequence       in one block, number follows number. A score rises by 1 for a number within NEAR of the one
                   before it in that block and falls by half of it for any other; people reach 8 never.
    prefix         one block has far more numbers than the blocks around it: n >= max(8, 3 m + 4 sqrt(m)),
                   where m is the mean of the blocks seen. Traffic that is dense everywhere raises m.
    few_prefixes   40 numbers or more in 15 blocks or fewer: then a block is held from its fourth number on.

The figures above are those of level 0. A country that costs more, that takes an unusual share of the tenant's
messages, or whose codes do not come back (suspicion.py) has a higher level, at which less is enough: LEVELS below.

A fourth, `resend`, refuses one recipient's next message and holds nothing else. Two held blocks of one ten
thousand hold the ten thousand. A hold ends by itself after 15 to 30 minutes.

Everything expires, and the blocks of a country live in two generations of at most 10,000, so memory has a bound.

    pump:held                      hash    <workflow>|<prefix> = until ms, rule, enforced
                                           #<workflow>|<prefix> = holds below it
    pump:<workflow>:<country>      hash    gen since fresh n d
    pump:<workflow>:<country>:<g>  hash    <block> = numbers, last suffix, score
    pump:again:<workflow>:<slot>   hash    <recipient> = messages in ten minutes

The probe is one argument, so that admission pays for one string: '' for traffic that is not watched, else
mode (e or m) | workflow | block | suffix | resends allowed in ten minutes, 0 for any number | level, 0 to 3.
]==]

local pumping = {}
local PUMP_RULES = { sequence = 1, prefix = 2, few_prefixes = 3, resend = 4 }
local NEAR, MISS, MEANS, SPREADS = 8, 0.5, 3, 4
-- By level: the score of a run, the least numbers of a block, and the numbers from which few blocks are too few.
local LEVELS = {
  [0] = { run = 8, least = 8, few = 40 },
  [1] = { run = 7, least = 7, few = 36 },
  [2] = { run = 6, least = 7, few = 32 },
  [3] = { run = 5, least = 6, few = 30 },
}
local PRIOR_BLOCKS = 15            -- as if so many blocks with one number each had been seen before
local FEW_BLOCKS, FEW_HOLD_AT = 15, 4
local GENERATION_MS, GENERATION_BLOCKS, CARRIED_BLOCKS = 1800000, 10000, 200
local HOLD_MS, HOLD_JITTER_MS = 900000, 900000
local AGAIN_MS, AGAIN_RECIPIENTS = 600000, 100000

-- Return the probe as a table, or nil for traffic that is not watched.
function pumping.read(text, prefix, country, recipient)
  if text == '' then
    return nil
  end
  local mode, workflow, block, suffix, resends, level = text:match('^(%a)|([^|]+)|(%d+)|(%d+)|(%d+)|([0-3])$')
  return {
    enforced = mode == 'e', workflow = workflow, block = block, parent = block:sub(1, -2), country = country,
    suffix = tonumber(suffix), resends = tonumber(resends), recipient = recipient, prefix = prefix,
    level = LEVELS[tonumber(level)], held = prefix .. ':pump:held', state = prefix .. ':pump:' .. workflow .. ':' .. country,
  }
end

local function pump_field(probe, scope)
  return probe.workflow .. '|' .. scope
end

-- Return when the recipient may have another, in ms from now, or nil if it may now.
local function pump_again(probe, now_ms)
  if probe.resends == 0 then
    return nil
  end
  local slot = math.floor(now_ms / AGAIN_MS)
  local elapsed = (now_ms % AGAIN_MS) / AGAIN_MS
  local stem = probe.prefix .. ':pump:again:' .. probe.workflow .. ':'
  probe.again = stem .. string.format('%.0f', slot)
  local sent = rates.counter(redis.call('HGET', probe.again, probe.recipient))
  local before = rates.counter(redis.call('HGET', stem .. string.format('%.0f', slot - 1), probe.recipient))
  probe.sent = sent
  if sent + before * (1 - elapsed) < probe.resends then
    return nil
  elseif sent >= probe.resends then
    return AGAIN_MS - now_ms % AGAIN_MS + math.ceil((1 - probe.resends / sent) * AGAIN_MS) + 1
  end
  return math.ceil((1 - (probe.resends - sent) / before - elapsed) * AGAIN_MS) + 1
end

-- Return {ms, rule, scope, until ms} of what refuses the message, or nil.
function pumping.gate(probe, now_ms)
  local scopes = { probe.block, probe.parent }
  local held = redis.call('HMGET', probe.held, pump_field(probe, scopes[1]), pump_field(probe, scopes[2]))
  for at, scope in ipairs(scopes) do
    local until_ms, rule, enforced = (held[at] or ''):match('^(%d+),([1-4]),([01])$')
    until_ms = tonumber(until_ms)
    if until_ms and until_ms <= now_ms then
      redis.call('HDEL', probe.held, pump_field(probe, scope))
    elseif until_ms and probe.enforced and enforced == '1' then
      return { until_ms - now_ms, tonumber(rule), scope, until_ms }
    elseif until_ms then
      probe.noted = true           -- raised already, and only watched
    end
  end
  local wait = pump_again(probe, now_ms)
  if wait and probe.enforced then
    return { wait, PUMP_RULES.resend, 'recipient', now_ms + wait }
  end
  return nil
end

-- Hold the block, or the ten thousand around it; return what admit.lua tells: {rule, scope, until ms, enforced}.
local function pump_hold(probe, rule, now_us)
  local now_ms = math.floor(now_us / 1000)
  local jitter = (now_us + tonumber(probe.block) * 7919 + probe.suffix * 104729) % HOLD_JITTER_MS
  local until_ms = now_ms + HOLD_MS + math.floor(jitter)
  local scope, enforced = probe.block, probe.enforced and 1 or 0
  local value = string.format('%.0f,%d,%d', until_ms, rule, enforced)
  redis.call('HSET', probe.held, pump_field(probe, scope), value)
  local below = '#' .. pump_field(probe, probe.parent)
  if rates.counter(redis.call('HGET', probe.held, below)) == 0 then
    redis.call('HSET', probe.held, below, 1)
  else
    redis.call('HDEL', probe.held, below)
    scope = probe.parent
    redis.call('HSET', probe.held, pump_field(probe, scope), value)
  end
  redis.call('PEXPIRE', probe.held, HOLD_MS + HOLD_JITTER_MS + 1000)
  return { rule, scope, until_ms, enforced }
end

-- Begin another generation where the present one is old or full; its predecessor stays readable.
local function pump_generation(seen, state, now_ms)
  if now_ms - seen.since < GENERATION_MS and seen.fresh < GENERATION_BLOCKS then
    return
  end
  local keep = math.min(1, CARRIED_BLOCKS / math.max(seen.blocks, 1))
  seen.gen, seen.since, seen.fresh = 1 - seen.gen, now_ms, 0
  seen.numbers, seen.blocks = seen.numbers * keep, seen.blocks * keep
  redis.call('UNLINK', state .. ':' .. seen.gen)
end

local function pump_seen(state, now_ms)
  local row = redis.call('HMGET', state, 'gen', 'since', 'fresh', 'n', 'd')
  return {
    gen = rates.counter(row[1]), since = tonumber(row[2] or now_ms) or now_ms, fresh = rates.counter(row[3]),
    numbers = rates.counter(row[4]), blocks = rates.counter(row[5]),
  }
end

-- Return the block's {numbers, last suffix, score}, from the present generation or half of it from the one before.
local function pump_block(probe, seen)
  local text = redis.call('HGET', probe.state .. ':' .. seen.gen, probe.block)
  local share = 1
  if not text then
    seen.fresh, share = seen.fresh + 1, 0.5
    text = redis.call('HGET', probe.state .. ':' .. (1 - seen.gen), probe.block)
  end
  local numbers, last, score = (text or ''):match('^(%d+),(%d+),([%d.]+)$')
  if not tonumber(score) then
    seen.blocks = seen.blocks + 1
    return { numbers = 0, score = 0 }
  end
  return { numbers = math.floor(tonumber(numbers) * share), last = tonumber(last), score = tonumber(score) }
end

local function pump_add(block, seen, suffix)
  if block.last == suffix then
    return                         -- the same person again: `resend` is for that
  end
  local near = block.last and math.abs(suffix - block.last) <= NEAR
  block.score = near and block.score + 1 or math.max(0, block.score - MISS)
  block.numbers, block.last = block.numbers + 1, suffix
  seen.numbers = seen.numbers + 1
end

local function pump_rule(block, seen, level)
  local mean = (seen.numbers + PRIOR_BLOCKS) / (seen.blocks + PRIOR_BLOCKS)
  local few = seen.numbers >= level.few and seen.blocks <= FEW_BLOCKS
  if block.score >= level.run then
    return PUMP_RULES.sequence
  elseif few and block.numbers >= FEW_HOLD_AT then
    return PUMP_RULES.few_prefixes
  elseif block.numbers >= math.max(level.least, MEANS * mean + SPREADS * math.sqrt(mean)) then
    return PUMP_RULES.prefix
  end
  return nil
end

-- Count an admitted message; return {rule, scope, until ms, enforced} if it raised a hold, else nil.
function pumping.count(probe, now_us)
  local now_ms = math.floor(now_us / 1000)
  if probe.again and redis.call('HLEN', probe.again) < AGAIN_RECIPIENTS then
    redis.call('HSET', probe.again, probe.recipient, string.format('%.0f', probe.sent + 1))
    redis.call('PEXPIRE', probe.again, 2 * AGAIN_MS)
  end
  if probe.noted then
    return nil
  end
  local seen = pump_seen(probe.state, now_ms)
  pump_generation(seen, probe.state, now_ms)
  local block = pump_block(probe, seen)
  pump_add(block, seen, probe.suffix)
  local rule, raised = pump_rule(block, seen, probe.level), nil
  if rule then
    raised = pump_hold(probe, rule, now_us)
    block.numbers, block.score = 0, 0
  end
  local blocks = probe.state .. ':' .. seen.gen
  redis.call('HSET', blocks, probe.block,
             string.format('%d,%d,%.1f', block.numbers, block.last or probe.suffix, block.score))
  redis.call('HSET', probe.state, 'gen', seen.gen, 'since', seen.since, 'fresh', seen.fresh, 'n', seen.numbers,
             'd', seen.blocks)
  redis.call('PEXPIRE', blocks, 2 * GENERATION_MS)
  redis.call('PEXPIRE', probe.state, 2 * GENERATION_MS)
  return raised
end
