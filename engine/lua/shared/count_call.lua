-- Count a call in its account's window when the account's tier has a limit; beyond the limit
-- nothing changes. `first` is the position of pairs of tier and limit in ARGV.
-- Returns nothing without a limit, else the limit, the calls in this window (one more than the
-- limit: refused) and the end of the window in milliseconds.
local function count_call(windows, account_id, account, bucket, now, window_ms, first)
  local limit = tier_limit(account, first)
  if not limit then return end
  local ends = string.format('%d', (math.floor(now / window_ms) + 1) * window_ms)
  local field = account_id .. '|' .. bucket
  local window, count = string.match(redis.call('HGET', windows, field) or '', '^(%d+):(%d+)$')
  count = (window == ends and tonumber(count) or 0) + 1
  if count <= limit then
    redis.call('HSET', windows, field, ends .. ':' .. count)
    if count == 1 then redis.call('PEXPIRE', windows, 2 * window_ms) end
  end
  return limit, math.min(count, limit + 1), ends
end
