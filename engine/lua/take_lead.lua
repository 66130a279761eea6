#!lua flags=allow-oom
-- Become or stay the leader among the sweepers.
-- KEYS: 1 leader
-- ARGV: 1 worker id, 2 lease in milliseconds
-- Returns 1 for the leader, else 0
local leader = redis.call('GET', KEYS[1])
if leader and leader ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
