#!lua flags=allow-oom
-- Renew a worker's lease, and record the names of the variables that are set there.
-- After a lost reply the call is sent again.
-- KEYS: workers, variables (of workers)
-- ARGV: now?, worker, lease_ms, names (of variables, separated by spaces)
-- Returns now
-- Uses: read_now
local now = read_now(ARGV.now)
redis.call('ZADD', KEYS.workers, string.format('%d', now + tonumber(ARGV.lease_ms)), ARGV.worker)
if redis.call('HGET', KEYS.variables, ARGV.worker) ~= ARGV.names then
  redis.call('HSET', KEYS.variables, ARGV.worker, ARGV.names)
end
return string.format('%d', now)
