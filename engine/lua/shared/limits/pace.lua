-- Pace of calls to a provider. A call moves the time of the next one by its share of a minute;
-- calls may be ahead of that time by a burst.
local SHARE = 0.98 -- with a burst of half a second no minute has more calls than the limit
local USUAL_RATIO = 2 -- answers have about the size of their requests

local function ready_at(governor)
  local at, calls, tokens = governor.paused_until or 0, rates_of(governor)
  if calls then at = math.max(at, (governor.calls_at or 0) - governor.burst) end
  if tokens then at = math.max(at, (governor.tokens_at or 0) - governor.burst) end
  return at
end

-- Estimate the tokens of a call from its requested tokens, by the ratio of earlier calls.
local function expect_tokens(governor, tokens)
  local asked = governor.asked_tokens or 0
  local ratio = asked > 0 and governor.used_tokens / asked or USUAL_RATIO
  return math.ceil(tokens * math.max(0.05, math.min(ratio, 100)))
end

local function use_pace(governor, reserved)
  local now, calls, tokens = governor.now, rates_of(governor)
  if calls then
    governor.calls_at = math.max(now, governor.calls_at or 0) + 60000 / (calls * SHARE)
  end
  if tokens then
    governor.tokens_at = math.max(now, governor.tokens_at or 0)
      + reserved * 60000 / (tokens * SHARE)
  end
end

local function correct_pace(governor, asked, reserved, used)
  local _, tokens = rates_of(governor)
  governor.asked_tokens = (governor.asked_tokens or 0) * 0.95 + asked
  governor.used_tokens = (governor.used_tokens or 0) * 0.95 + used
  if tokens then
    governor.tokens_at = (governor.tokens_at or 0) + (used - reserved) * 60000 / (tokens * SHARE)
  end
end
