#!lua flags=allow-oom
-- Let other workers begin items of a batch again, and schedule the next look at it.
-- KEYS: batch, open_batches, batches_due
-- ARGV: now?, id, account_id, token, pause_ms (until that look)
-- Returns 1, or 0 when another worker begins its items
-- Uses: read_now, schedule_batch
local now = read_now(ARGV.now)
if redis.call('HGET', KEYS.batch, 'feeder') ~= ARGV.token then return 0 end
redis.call('HDEL', KEYS.batch, 'feeder', 'feeder_until')
schedule_batch(ARGV.account_id, ARGV.id, now + tonumber(ARGV.pause_ms))
return 1
