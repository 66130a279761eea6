-- Circuit breaker: consecutive failures open it for a time, longer each time; then one call at a
-- time probes whether it may close. While only one account has failures, it is open for that one
-- only.
local FAILURES, STALE_MS = 5, 60000
local OPEN_MS, MOST_OPEN_MS, PROBING_MS = 5000, 120000, 1000

local function is_blamed(governor, account)
  return governor.blamed == '*' or governor.blamed == account
end

local function trip_breaker(governor, account)
  local now = governor.now
  if governor.open and not is_blamed(governor, account) then
    governor.others = (governor.others or 0) + 1
    if governor.others < FAILURES then return end
  end
  if not governor.open and now - (governor.failed_at or now) > STALE_MS then
    governor.failures, governor.blamed = 0, nil
  end
  governor.blamed = (not governor.blamed or governor.blamed == account) and account or '*'
  governor.failures, governor.failed_at = (governor.failures or 0) + 1, now
  if governor.failures >= FAILURES and now >= (governor.open or 0) then
    governor.opens = (governor.opens or 0) + 1
    governor.open = now + math.min(OPEN_MS * 2 ^ (governor.opens - 1), MOST_OPEN_MS)
  end
end

local function close_breaker(governor, account)
  governor.others = nil
  if governor.open and not is_blamed(governor, account) then return end
  governor.failures, governor.failed_at, governor.blamed = nil, nil, nil
  governor.open, governor.opens, governor.probe = nil, nil, nil
end

-- Return the milliseconds until a call may try again; 0 for now.
local function open_for(governor)
  if not governor.open then return 0 end
  if governor.now < governor.open then return governor.open - governor.now end
  local is_probed = governor.probe and redis.call('HEXISTS', KEYS.calls, governor.probe) == 1
  return is_probed and PROBING_MS or 0
end

local function is_blocked(governor, account)
  return governor.open and is_blamed(governor, account) and open_for(governor) > 0
end
