#!lua flags=allow-oom
-- Schedule the next look at an account by that of its first batch, but no earlier than a time.
-- KEYS: open_batches, batches_due
-- ARGV: account_id, earliest (milliseconds)
-- Returns the time, or '' without an open batch
local first = redis.call('ZRANGE', KEYS.open_batches, 0, 0, 'WITHSCORES')
if #first == 0 then
  redis.call('ZREM', KEYS.batches_due, ARGV.account_id)
  return ''
end
local at = string.format('%d', math.max(tonumber(first[2]), tonumber(ARGV.earliest)))
redis.call('ZADD', KEYS.batches_due, at, ARGV.account_id)
return at
