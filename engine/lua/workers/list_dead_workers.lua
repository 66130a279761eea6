#!lua flags=no-writes
-- List the workers with an expired lease.
-- KEYS: 1 workers
-- ARGV: 1 now (0: Redis's clock)
-- Returns their ids
-- Uses: read_now
local now = read_now(ARGV[1])
return redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', string.format('%d', now))
