-- Count a call in its account's window, `cost` times (once without it); beyond the limit nothing
-- changes. `field` is the account id, a bar and the bucket.
-- Returns the calls in this window (one more than the limit: refused) and the end of the window in
-- milliseconds.
local function count_call(windows, field, limit, now, window_ms, cost)
  local ends = string.format('%d', (math.floor(now / window_ms) + 1) * window_ms)
  local window, count = string.match(redis.call('HGET', windows, field) or '', '^(%d+):(%d+)$')
  local before = window == ends and tonumber(count) or 0
  local after = before + (cost or 1)
  if after <= limit then
    redis.call('HSET', windows, field, string.format('%s:%d', ends, after))
    if before == 0 then redis.call('PEXPIRE', windows, 2 * window_ms) end
  end
  return math.min(after, limit + 1), ends
end
