#!lua flags=allow-oom
-- Replace the snapshots of processes that are gone by one sum, unless somebody else has done it.
-- KEYS: 1 snapshots
-- ARGV: 1 the sum as it was read ('' for none), 2 the new sum, then processes that are gone (≥ 1)
-- Returns 1 when it was done, else 0
local before = redis.call('HGET', KEYS[1], 'retired') or ''
if before ~= ARGV[1] or #ARGV < 3 then return 0 end
redis.call('HSET', KEYS[1], 'retired', ARGV[2])
redis.call('HDEL', KEYS[1], unpack(ARGV, 3))
return 1
