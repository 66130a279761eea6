#!lua
-- Undo the delete of a workflow, and schedule its review: versions that were in use only by
-- executions may be left over.
-- KEYS: workflow, account_workflows, workflows_due, workflows_by_time, callers (of the account's
--       workflows)
-- ARGV: now?, slug, reference, undo_ms (in which a delete can be undone)
-- Returns 'ok' | 'living' | 'gone'
-- Uses: read_now, workflow_calls
local now = read_now(ARGV.now)
local state, deleted, version, updated, draft_saved = unpack(redis.call('HMGET', KEYS.workflow,
  'state', 'deleted', 'version', 'updated', 'draft_saved'))
if not state then return 'gone' end
if state ~= 'deleted' then return 'living' end
if tonumber(deleted or '0') + tonumber(ARGV.undo_ms) <= now then return 'gone' end

redis.call('HSET', KEYS.workflow, 'state', 'live')
redis.call('HDEL', KEYS.workflow, 'deleted')
list_calls(ARGV.slug)
redis.call('SADD', KEYS.account_workflows, ARGV.slug)
redis.call('ZADD', KEYS.workflows_by_time, version and updated or draft_saved or updated, ARGV.slug)
redis.call('ZADD', KEYS.workflows_due, string.format('%d', now), ARGV.reference)
return 'ok'
