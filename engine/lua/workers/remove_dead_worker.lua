#!lua flags=allow-oom
-- Remove a dead worker after its executions were given back, unless its lease was renewed.
-- KEYS: workers, variables (of workers)
-- ARGV: now?, worker
-- Returns 1 when removed, else 0
-- Uses: read_now
local now = read_now(ARGV.now)
local lease = redis.call('ZSCORE', KEYS.workers, ARGV.worker)
if not lease or tonumber(lease) > now then return 0 end
redis.call('HDEL', KEYS.variables, ARGV.worker)
return redis.call('ZREM', KEYS.workers, ARGV.worker)
