#!lua flags=allow-oom
-- Remove an execution that ended, when its time is over.
-- KEYS: 1 execution, 2 account's executions, 3 finished, 4 events, 5 what running nodes have told
-- ARGV: 1 execution id, 2 reference, 3 ended before this time in milliseconds
-- Returns 0 when it is not due, 1 when it is gone, 2 when it has left objects behind as well
local ended = redis.call('ZSCORE', KEYS[3], ARGV[2])
if not ended or tonumber(ended) > tonumber(ARGV[3]) then return 0 end
local has_objects = redis.call('HEXISTS', KEYS[1], 'aside')
redis.call('UNLINK', KEYS[1], KEYS[4], KEYS[5])
redis.call('ZREM', KEYS[2], ARGV[1])
redis.call('ZREM', KEYS[3], ARGV[2])
return 1 + has_objects
