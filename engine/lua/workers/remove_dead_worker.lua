#!lua flags=allow-oom
-- Remove a dead worker after its executions were given back, unless its lease was renewed.
-- KEYS: 1 workers, 2 variables of workers
-- ARGV: 1 now (0: Redis's clock), 2 worker id
-- Returns 1 when removed, else 0
-- Uses: read_now
local now = read_now(ARGV[1])
local lease = redis.call('ZSCORE', KEYS[1], ARGV[2])
if not lease or tonumber(lease) > now then return 0 end
redis.call('HDEL', KEYS[2], ARGV[2])
return redis.call('ZREM', KEYS[1], ARGV[2])
