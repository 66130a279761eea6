-- How fast a provider is called. A call moves the time at which the next one is due by what it takes
-- of a minute; calls may be ahead of that time by a burst. Refusals lower the pace, time raises it.
local BURST_MS = 500
local SHARE = 0.98 -- with the burst no minute has more calls than the limit
local LOWERED, RAISED, RAISED_NEAR = 0.8, 0.01, 0.002 -- the latter of the ceiling, in a second
local PAUSE_MS = 1000
local FORGET_MS = 900000

-- Towards the limit, slowly where the provider refused before.
local function raise_pace(governor)
  local rate, limit, now = governor.rate, governor.requests, governor.now
  if not rate then return end
  local is_near = rate > 0.95 * governor.ceiling and rate < 1.1 * governor.ceiling
  local seconds = math.max(0, now - governor.rate_at) / 1000
  rate = rate + seconds * governor.ceiling * (is_near and RAISED_NEAR or RAISED)
  governor.rate, governor.rate_at = rate, now
  if limit and rate >= limit or not limit and now - governor.lowered > FORGET_MS then
    governor.rate = nil
  end
end

-- The provider refused a call; those that were on their way already do not lower the pace again.
-- `seen` are the calls of the last minute, where no limit is known.
local function lower_pace(governor, granted_at, wait, seen)
  local now = governor.now
  governor.pause = math.max(governor.pause or 0, now + (wait > 0 and wait or PAUSE_MS))
  governor.calls_at = math.max(governor.calls_at or 0, governor.pause + BURST_MS)
  if governor.lowered and (granted_at or now - PAUSE_MS) <= governor.lowered then return end
  governor.ceiling = math.max(1, governor.rate or governor.requests or seen)
  governor.rate = math.max(1, governor.ceiling * LOWERED)
  governor.rate_at, governor.lowered = now, now
end

local function ready_at(governor)
  local at = governor.pause or 0
  if governor.rate or governor.requests then
    at = math.max(at, (governor.calls_at or 0) - BURST_MS)
  end
  if governor.tokens then at = math.max(at, (governor.tokens_at or 0) - BURST_MS) end
  return at
end

-- What calls use in the end is not what they were taken for: by how much, those before have told.
local function expect_tokens(governor, tokens)
  local ratio = (governor.asked or 0) > 0 and governor.used / governor.asked or 1
  return math.ceil(tokens * math.max(0.05, math.min(ratio, 100)))
end

local function take_pace(governor, tokens)
  local rate, now = governor.rate or governor.requests, governor.now
  if rate then
    governor.calls_at = math.max(now, governor.calls_at or 0) + 60000 / (rate * SHARE)
  end
  if governor.tokens then
    governor.tokens_at = math.max(now, governor.tokens_at or 0) + tokens * 60000 / (governor.tokens * SHARE)
  end
end

local function correct_pace(governor, tokens, reserved, used)
  governor.asked = (governor.asked or 0) * 0.95 + tokens
  governor.used = (governor.used or 0) * 0.95 + used
  if governor.tokens then
    governor.tokens_at = (governor.tokens_at or 0) + (used - reserved) * 60000 / (governor.tokens * SHARE)
  end
end
