-- Circuit breaker: consecutive failures open it for a time, longer each time; then one call at a
-- time probes whether it may close. While only one account has failures, it is open for that one
-- only.
local FAILURES, STALE_MS = 5, 60000
local OPEN_MS, MOST_OPEN_MS, PROBING_MS = 5000, 120000, 1000

local function is_failing(governor, account)
  return governor.failing_account == '*' or governor.failing_account == account
end

local function trip_breaker(governor, account)
  local now = governor.now
  if governor.open_until and not is_failing(governor, account) then
    governor.other_failures = (governor.other_failures or 0) + 1
    if governor.other_failures < FAILURES then return end
  end
  if not governor.open_until and now - (governor.failed_at or now) > STALE_MS then
    governor.failures, governor.failing_account = 0, nil
  end
  local is_alone = not governor.failing_account or governor.failing_account == account
  governor.failing_account = is_alone and account or '*'
  governor.failures, governor.failed_at = (governor.failures or 0) + 1, now
  if governor.failures >= FAILURES and now >= (governor.open_until or 0) then
    governor.openings = (governor.openings or 0) + 1
    governor.open_until = now + math.min(OPEN_MS * 2 ^ (governor.openings - 1), MOST_OPEN_MS)
  end
end

local function close_breaker(governor, account)
  governor.other_failures = nil
  if governor.open_until and not is_failing(governor, account) then return end
  governor.failures, governor.failed_at, governor.failing_account = nil, nil, nil
  governor.open_until, governor.openings, governor.probing_call = nil, nil, nil
end

-- Return the milliseconds until a call may try again; 0 for now.
local function open_for(governor)
  if not governor.open_until then return 0 end
  if governor.now < governor.open_until then return governor.open_until - governor.now end
  local call = governor.probing_call
  return call and redis.call('HEXISTS', KEYS.calls, call) == 1 and PROBING_MS or 0
end

local function is_blocked(governor, account)
  return governor.open_until and is_failing(governor, account) and open_for(governor) > 0
end
