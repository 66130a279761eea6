#!lua flags=allow-oom
-- Delete a workflow and schedule its review: the latest version stays until the delete cannot be
-- undone, other versions until no execution runs them.
-- KEYS: workflow, account_workflows, workflows_due, workflows_by_time
-- ARGV: now?, slug, reference
-- Returns 1 when it existed, else 0
-- Uses: read_now
local stamp = string.format('%d', read_now(ARGV.now))
local state = redis.call('HGET', KEYS.workflow, 'state')
if not state or state == 'deleted' then return 0 end
redis.call('HSET', KEYS.workflow, 'state', 'deleted', 'deleted', stamp)
redis.call('SREM', KEYS.account_workflows, ARGV.slug)
redis.call('ZREM', KEYS.workflows_by_time, ARGV.slug)
redis.call('ZADD', KEYS.workflows_due, stamp, ARGV.reference)
return 1
