-- Return the calls in the account's current window, and its end in milliseconds.
local function calls_in_window(field, now)
  local ends = (math.floor(now / ARGV.window_ms) + 1) * ARGV.window_ms
  local window, count = string.match(redis.call('HGET', KEYS.windows, field) or '', '^(%d+):(%d+)$')
  return window and tonumber(window) == ends and tonumber(count) or 0, ends
end
