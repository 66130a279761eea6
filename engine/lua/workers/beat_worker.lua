#!lua flags=allow-oom
-- Renew a worker's lease on everything it holds.
-- KEYS: 1 workers
-- ARGV: 1 now (0: Redis's clock), 2 worker id, 3 lease in milliseconds
-- Returns now
-- Uses: read_now
local now = read_now(ARGV[1])
redis.call('ZADD', KEYS[1], string.format('%d', now + tonumber(ARGV[3])), ARGV[2])
return string.format('%d', now)
