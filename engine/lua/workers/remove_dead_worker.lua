#!lua flags=allow-oom
-- Forget a dead worker once nothing it held is left; not when it has come back meanwhile.
-- KEYS: 1 workers, 2 variables of workers
-- ARGV: 1 now (0: Redis's clock), 2 worker id
-- Returns 1 when it is gone, else 0
-- Uses: read_now
local now = read_now(ARGV[1])
local lease = redis.call('ZSCORE', KEYS[1], ARGV[2])
if not lease or tonumber(lease) > now then return 0 end
redis.call('HDEL', KEYS[2], ARGV[2])
return redis.call('ZREM', KEYS[1], ARGV[2])
