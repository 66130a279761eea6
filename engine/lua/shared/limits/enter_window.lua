-- Count a member in a sliding window of `window_ms`, unless it has `most` already. Return 0, or the
-- milliseconds until the window has a place.
local function enter_window(window, member, now, window_ms, most)
  local begin = string.format('%d', now - window_ms)
  local counted = redis.call('ZRANGEBYSCORE', window, '(' .. begin, '+inf', 'WITHSCORES')
  if #counted / 2 >= tonumber(most) then return tonumber(counted[2]) + window_ms - now end
  redis.call('ZREMRANGEBYSCORE', window, '-inf', begin)
  redis.call('ZADD', window, string.format('%d', now), member)
  redis.call('PEXPIRE', window, window_ms)
  return 0
end
