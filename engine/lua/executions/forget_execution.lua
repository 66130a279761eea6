#!lua flags=allow-oom
-- Remove an ended execution that is in the history, or whose retention is over. One that is in the
-- history stays until the delivery of its end has ended, whose body is made of it.
-- KEYS: 1 execution, 2 account's executions, 3 finished, 4 events, 5 progress of running nodes,
--       6 unarchived, 7 delivery, 8 newest forgotten
-- ARGV: 1 execution id, 2 reference, 3 time in milliseconds before which it must have ended, 4 its
--       last retry that the history knows ('' none)
-- Returns 0 when not due, 1 when removed, 2 when removed with objects left in the blob store
local ended = redis.call('ZSCORE', KEYS[3], ARGV[2])
if not ended or tonumber(ended) > tonumber(ARGV[3]) then return 0 end
local head = redis.call('HMGET', KEYS[1], 'has_objects', 'retry', 'created')
if ARGV[4] and (head[2] or '') ~= ARGV[4] then return 0 end
if ARGV[4] and redis.call('HGET', KEYS[7], 'status') == 'pending' then return 0 end
local account_id = string.match(ARGV[2], '^[^/]+')
local newest = tonumber(redis.call('HGET', KEYS[8], account_id) or '-1')
if tonumber(head[3] or '-1') > newest then redis.call('HSET', KEYS[8], account_id, head[3]) end
redis.call('UNLINK', KEYS[1], KEYS[4], KEYS[5])
redis.call('ZREM', KEYS[2], ARGV[1])
redis.call('ZREM', KEYS[3], ARGV[2])
redis.call('ZREM', KEYS[6], ARGV[2])
return head[1] and 2 or 1
