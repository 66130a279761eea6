#!lua flags=allow-oom
-- Delete a workflow and schedule its review: the latest version stays until the delete cannot be
-- undone, other versions until no execution runs them. One that others call stays unless forced.
-- Its aliases end with it.
-- KEYS: workflow, account_workflows, workflows_due, workflows_by_time, callers (of the account's
--       workflows), documents, alias_history
-- ARGV: now?, slug, reference, is_forced? ('1': delete it though others call it), most_callers (to
--       return)
-- Returns 1 when it existed, else 0 | {'used', slug of a workflow that calls it...}
-- Uses: read_now, workflow_calls, callers_of, count_documents, end_aliases
local stamp = string.format('%d', read_now(ARGV.now))
local state = redis.call('HGET', KEYS.workflow, 'state')
if not state or state == 'deleted' then return 0 end
local callers = ARGV.is_forced == '1' and {} or callers_of(ARGV.slug, tonumber(ARGV.most_callers))
if #callers > 0 then return {'used', unpack(callers)} end

redis.call('HSET', KEYS.workflow, 'state', 'deleted', 'deleted', stamp)
unlist_calls(ARGV.slug)
end_aliases()
redis.call('SREM', KEYS.account_workflows, ARGV.slug)
redis.call('ZREM', KEYS.workflows_by_time, ARGV.slug)
redis.call('ZADD', KEYS.workflows_due, stamp, ARGV.reference)
return 1
