-- Rate of calls to a provider: a share of the known limits, else calls a minute. Refusals lower it,
-- time raises it.
local LOWERED, RAISED, RAISED_NEAR, RAISED_BEYOND = 0.8, 0.01, 0.002, 0.05 -- last per second
local LEAST_SHARE = 0.05
local PAUSE_MS = 1000
local FORGET_MS = 900000

local function is_limited(governor)
  return governor.requests or governor.tokens
end

-- Raise slowly near the refused rate, faster below it and far above it.
local function raise_rate(governor)
  local rate, ceiling, now = governor.rate, governor.ceiling, governor.now
  if not rate then return end
  local speed = RAISED * ceiling
  if rate > 1.1 * ceiling then speed = RAISED_BEYOND * rate
  elseif rate > 0.95 * ceiling then speed = RAISED_NEAR * ceiling end
  governor.rate = rate + speed * math.max(0, now - governor.rate_at) / 1000
  governor.rate_at = now
  local is_over = is_limited(governor) and governor.rate >= 1
  if is_over or not is_limited(governor) and now - governor.lowered_at > FORGET_MS then
    governor.rate = nil
  end
end

-- Lower the rate after a refusal, once for all calls that were permitted before. `seen` is an
-- estimate of the calls a minute, which time corrects quickly.
local function lower_rate(governor, granted_at, wait, seen)
  local now = governor.now
  local pause_ms = wait > 0 and wait or PAUSE_MS
  governor.paused_until = math.max(governor.paused_until or 0, now + pause_ms)
  governor.calls_at = math.max(governor.calls_at or 0, governor.paused_until + governor.burst)
  governor.tokens_at = math.max(governor.tokens_at or 0, governor.paused_until + governor.burst)
  if governor.lowered_at and (granted_at or now - PAUSE_MS) <= governor.lowered_at then return end
  if is_limited(governor) then
    if not granted_at then return end -- the call was made without a known limit
    governor.ceiling = governor.rate or 1
    governor.rate = math.max(LEAST_SHARE, governor.ceiling * LOWERED)
  else
    governor.ceiling = governor.rate or 0
    governor.rate = math.max(1, (governor.rate or seen) * LOWERED)
  end
  governor.rate_at, governor.lowered_at = now, now
end

-- Lift the limit on requests for a while after a successful call.
local function lift_limit(governor)
  local trust_ms = tonumber(ARGV.trust_ms)
  if governor.succeeded_at and governor.now - governor.succeeded_at < trust_ms then
    governor.requests = nil
  end
end

-- Return calls and tokens a minute, nil for no limit.
local function rates_of(governor)
  local share = governor.rate or 1
  if not is_limited(governor) then return governor.rate, nil end
  local requests, tokens = governor.requests, governor.tokens
  return requests and requests * share, tokens and tokens * share
end
