#!lua
-- Take the delete of a workflow back. It is due to be reviewed: versions that were in use only by
-- executions may be left over.
-- KEYS: 1 workflow, 2 account's workflows, 3 workflows due, 4 account's workflows by time
-- ARGV: 1 now (0: Redis's clock), 2 slug, 3 reference, 4 milliseconds in which a delete can be taken
--       back
-- Returns 'ok' | 'living' | 'gone'
-- Uses: read_now
local now = read_now(ARGV[1])
local head = redis.call('HMGET', KEYS[1], 'state', 'deleted', 'version', 'updated', 'draft_saved')
if not head[1] then return 'gone' end
if head[1] ~= 'deleted' then return 'living' end
if tonumber(head[2] or '0') + tonumber(ARGV[4]) <= now then return 'gone' end

redis.call('HSET', KEYS[1], 'state', 'live')
redis.call('HDEL', KEYS[1], 'deleted')
redis.call('SADD', KEYS[2], ARGV[2])
redis.call('ZADD', KEYS[4], head[3] and head[4] or head[5] or head[4], ARGV[2])
redis.call('ZADD', KEYS[3], string.format('%d', now), ARGV[3])
return 'ok'
