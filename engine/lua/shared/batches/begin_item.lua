-- Count an item that begins, in its batch and in the window of its account's runs.
local function begin_item(now, states)
  redis.call('HSET', KEYS.batch, 'states', states)
  redis.call('HINCRBY', KEYS.account_items, 'queued', -1)
  redis.call('HINCRBY', KEYS.account_items, 'active', 1)
  if ARGV.most_calls == '' then return end
  -- Uses: count_call
  local most, field = tonumber(ARGV.most_calls), ARGV.account_id .. '|' .. ARGV.bucket
  count_call(KEYS.windows, field, most, now, ARGV.window_ms)
  count_call(KEYS.windows, field .. '|items', most, now, ARGV.window_ms)
end
