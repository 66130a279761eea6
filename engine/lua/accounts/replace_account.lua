#!lua flags=allow-oom
-- Replace an account's record unless it has changed since it was read.
-- Called again, the script returns its first answer.
-- KEYS: 1 accounts of the partition
-- ARGV: 1 account id, 2 record as it was read, 3 new record
-- Returns 1 | 0 when the record has changed or is deleted
local record = redis.call('HGET', KEYS[1], ARGV[1])
if record == ARGV[3] then return 1 end
if record ~= ARGV[2] then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
return 1
