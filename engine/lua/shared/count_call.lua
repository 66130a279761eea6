-- Count a call in its account's window; beyond the limit nothing changes. `field` is the account id, a
-- bar and the bucket.
-- Returns the calls in this window (one more than the limit: refused) and the end of the window in
-- milliseconds.
local function count_call(windows, field, limit, now, window_ms)
  local ends = string.format('%d', (math.floor(now / window_ms) + 1) * window_ms)
  local window, count = string.match(redis.call('HGET', windows, field) or '', '^(%d+):(%d+)$')
  count = (window == ends and tonumber(count) or 0) + 1
  if count <= limit then
    redis.call('HSET', windows, field, ends .. ':' .. count)
    if count == 1 then redis.call('PEXPIRE', windows, 2 * window_ms) end
  end
  return math.min(count, limit + 1), ends
end
