#!lua flags=allow-oom
-- Count a run of a public workflow by another account. Called again, the script counts it again.
-- KEYS: 1 workflow
-- ARGV: 1 now (0: Redis's clock)
-- Returns 1, or 0 when the workflow is gone
-- Uses: read_now, count_run
local now = read_now(ARGV[1])
local head = redis.call('HMGET', KEYS[1], 'state', 'runs')
if not head[1] then return 0 end
redis.call('HSET', KEYS[1], 'runs', count_run(head[2], now))
return 1
