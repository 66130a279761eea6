-- State of a provider within a script, written by `save_governor` only. A limit that the caller
-- does not know (0) is the last known one, until no caller has repeated it for a while.
local LIMIT_LAPSES_MS = 120000
local FIELDS = {'requests', 'tokens', 'concurrency', 'requests_seen_at', 'tokens_seen_at',
  'concurrency_seen_at', 'rate', 'rate_at', 'ceiling', 'lowered_at', 'paused_until', 'calls_at',
  'tokens_at', 'asked_tokens', 'used_tokens', 'last_share', 'call_count', 'failures', 'failed_at',
  'failing_account', 'other_failures', 'open_until', 'openings', 'probing_call', 'succeeded_at',
  'saved_at'}
local TEXTS = {failing_account = true, probing_call = true}
local TIMES = {'requests_seen_at', 'tokens_seen_at', 'concurrency_seen_at', 'rate_at',
  'lowered_at', 'paused_until', 'calls_at', 'tokens_at', 'failed_at', 'open_until',
  'succeeded_at'}

-- After Redis's clock was set back, move every recorded time back as far, and shorten the leases of
-- callers to one granted now. Else a pause of a second lasts until the clock catches up.
local function follow_clock_back(governor, lease_ends)
  local back = (governor.saved_at or 0) - governor.now
  if back <= 0 then return end
  for _, name in ipairs(TIMES) do
    governor[name] = governor[name] and governor[name] - back
  end
  local callers = redis.call('ZRANGE', KEYS.callers, '(' .. lease_ends, '+inf', 'BYSCORE')
  for _, caller in ipairs(callers) do redis.call('ZADD', KEYS.callers, lease_ends, caller) end
end

local function open_governor(now, lease_ends)
  local governor = {now = now, burst = tonumber(ARGV.burst_ms)}
  local limits = {requests = ARGV.requests, tokens = ARGV.tokens, concurrency = ARGV.concurrency}
  local values = redis.call('HMGET', KEYS.state, unpack(FIELDS))
  for position, name in ipairs(FIELDS) do
    local value = values[position] or nil
    governor[name] = TEXTS[name] and value or tonumber(value or '')
  end
  follow_clock_back(governor, lease_ends)
  governor.saved_at = now
  local was_limited = governor.requests or governor.tokens
  for name, limit in pairs(limits) do
    local seen_at = name .. '_seen_at'
    if tonumber(limit) > 0 then governor[name], governor[seen_at] = tonumber(limit), now end
    if now - (governor[seen_at] or 0) > LIMIT_LAPSES_MS then
      governor[name], governor[seen_at] = nil
    end
  end
  if was_limited and not (governor.requests or governor.tokens) then
    governor.rate = nil -- the rate was a share of limits that are unknown now
  end
  return governor
end

local function save_governor(governor)
  local fields, unset = {}, {}
  for _, name in ipairs(FIELDS) do
    local value = governor[name]
    if value == nil then
      unset[#unset + 1] = name
    else
      fields[#fields + 1] = name
      fields[#fields + 1] = TEXTS[name] and value or string.format('%.17g', value)
    end
  end
  if #fields > 0 then redis.call('HSET', KEYS.state, unpack(fields)) end
  if #unset > 0 then redis.call('HDEL', KEYS.state, unpack(unset)) end
end
