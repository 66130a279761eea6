#!lua flags=allow-oom
-- Replace an account's record if it is still the one that was read.
-- Called again it answers as the first time.
-- KEYS: 1 accounts of the partition
-- ARGV: 1 account id, 2 record as it was read, 3 new record
-- Returns 1 | 0 when it has changed since, or is gone
local record = redis.call('HGET', KEYS[1], ARGV[1])
if record == ARGV[3] then return 1 end
if record ~= ARGV[2] then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
return 1
