#!lua flags=allow-oom
-- Acquire or renew the leadership among the sweepers, and read Redis's clock for all of them. A
-- leadership beyond the length of a lease predates a change of the clock backwards, and is
-- shortened.
-- After a lost reply the call is sent again.
-- KEYS: leader
-- ARGV: now?, worker, lease_ms
-- Returns {1 for the leader, else 0, now, milliseconds until the leadership ends}
-- Uses: read_now
local now = string.format('%d', read_now(ARGV.now))
local leader = redis.call('GET', KEYS.leader)
if leader and leader ~= ARGV.worker then
  local left, lease = redis.call('PTTL', KEYS.leader), tonumber(ARGV.lease_ms)
  if left > lease then
    redis.call('PEXPIRE', KEYS.leader, ARGV.lease_ms)
  end
  return {0, now, math.max(0, math.min(left, lease))}
end
redis.call('SET', KEYS.leader, ARGV.worker, 'PX', ARGV.lease_ms)
return {1, now, tonumber(ARGV.lease_ms)}
