#!lua flags=allow-oom
-- Count a run of a public workflow by another account. Called again, the script counts it again.
-- KEYS: workflow
-- ARGV: now?
-- Returns 1, or 0 when the workflow is gone
-- Uses: read_now, count_run
local now = read_now(ARGV.now)
local head = redis.call('HMGET', KEYS.workflow, 'state', 'runs')
if not head[1] then return 0 end
redis.call('HSET', KEYS.workflow, 'runs', count_run(head[2], now))
return 1
