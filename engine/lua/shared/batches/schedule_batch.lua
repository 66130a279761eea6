-- Schedule the next look at a batch, `at` in milliseconds, and at its account no later than that.
local function schedule_batch(account, id, at)
  at = string.format('%d', at)
  redis.call('ZADD', KEYS.open_batches, at, id)
  redis.call('ZADD', KEYS.batches_due, 'LT', at, account)
end
