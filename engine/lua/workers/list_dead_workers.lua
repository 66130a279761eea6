#!lua flags=no-writes
-- List the workers with an expired lease.
-- After a lost reply the call is sent again.
-- KEYS: workers
-- ARGV: now?
-- Returns their ids
-- Uses: read_now
local now = read_now(ARGV.now)
return redis.call('ZRANGEBYSCORE', KEYS.workers, '-inf', string.format('%d', now))
