#!lua flags=allow-oom
-- Renew a worker's lease, and record the names of the variables that are set there.
-- KEYS: 1 workers, 2 variables of workers
-- ARGV: 1 now (0: Redis's clock), 2 worker id, 3 lease in milliseconds, 4 names of variables,
--       separated by spaces
-- Returns now
-- Uses: read_now
local now = read_now(ARGV[1])
redis.call('ZADD', KEYS[1], string.format('%d', now + tonumber(ARGV[3])), ARGV[2])
if redis.call('HGET', KEYS[2], ARGV[2]) ~= ARGV[4] then
  redis.call('HSET', KEYS[2], ARGV[2], ARGV[4])
end
return string.format('%d', now)
