#!lua flags=allow-oom
-- List a living workflow that was saved before there were summaries and lists by time.
-- KEYS: 1 workflow, 2 account's workflows, 3 account's workflows by time
-- ARGV: 1 slug, 2 summary of its document
-- Returns 1 when it is living, else 0
if redis.call('SISMEMBER', KEYS[2], ARGV[1]) == 0 then return 0 end
local head = redis.call('HMGET', KEYS[1], 'version', 'updated', 'draft_saved')
redis.call('HSET', KEYS[1], 'summary', ARGV[2])
redis.call('ZADD', KEYS[3], head[1] and head[2] or head[3] or head[2], ARGV[1])
return 1
