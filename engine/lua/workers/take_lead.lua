#!lua flags=allow-oom
-- Acquire or renew the leadership among the sweepers, and read Redis's clock for all of them. A
-- leadership beyond the length of a lease predates a change of the clock backwards, and is
-- shortened.
-- KEYS: 1 leader
-- ARGV: 1 now (0: Redis's clock), 2 worker id, 3 lease in milliseconds
-- Returns {1 for the leader, else 0, now, milliseconds until the leadership ends}
-- Uses: read_now
local now = string.format('%d', read_now(ARGV[1]))
local leader = redis.call('GET', KEYS[1])
if leader and leader ~= ARGV[2] then
  local left, lease = redis.call('PTTL', KEYS[1]), tonumber(ARGV[3])
  if left > lease then
    redis.call('PEXPIRE', KEYS[1], ARGV[3])
  end
  return {0, now, math.max(0, math.min(left, lease))}
end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return {1, now, tonumber(ARGV[3])}
