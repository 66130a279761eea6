#!lua flags=allow-oom
-- Remove an execution that ended, when its time is over.
-- KEYS: 1 execution, 2 aside, 3 account's executions, 4 finished
-- ARGV: 1 execution id, 2 reference, 3 ended before this time in milliseconds
-- Returns 1 when it is gone, 0 when it is not due
local ended = redis.call('ZSCORE', KEYS[4], ARGV[2])
if not ended or tonumber(ended) > tonumber(ARGV[3]) then return 0 end
redis.call('UNLINK', KEYS[1], KEYS[2])
redis.call('ZREM', KEYS[3], ARGV[1])
redis.call('ZREM', KEYS[4], ARGV[2])
return 1
