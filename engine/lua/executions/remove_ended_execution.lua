#!lua flags=allow-oom
-- Remove an ended execution that is in the history, or whose retention is over. One that is in the
-- history stays until the delivery of its end has ended, whose body is made of it; one with a
-- webhook of its own stays until all of that webhook's deliveries have ended.
-- KEYS: execution, executions, finished, events, progress, unarchived, delivery, newest_forgotten,
--       run_webhook (its own), groups... (of its children)
-- ARGV: execution_id, reference, ended_before_ms (a time), is_archived? ('1'
--       when the history has it), last_retry? (that the history knows)
-- Returns 0 when not due, 1 when removed, 2 when removed with objects left in the blob store
local ended = redis.call('ZSCORE', KEYS.finished, ARGV.reference)
if not ended or tonumber(ended) > tonumber(ARGV.ended_before_ms) then return 0 end
local head = redis.call('HMGET', KEYS.execution, 'has_objects', 'retry', 'created')
if ARGV.is_archived == '1' then
  if (head[2] or '') ~= ARGV.last_retry then return 0 end
  if redis.call('HGET', KEYS.delivery, 'status') == 'pending' then return 0 end
  if redis.call('EXISTS', KEYS.run_webhook) == 1 then return 0 end
end
local account_id = string.match(ARGV.reference, '^[^/]+')
local newest = tonumber(redis.call('HGET', KEYS.newest_forgotten, account_id) or '-1')
if tonumber(head[3] or '-1') > newest then
  redis.call('HSET', KEYS.newest_forgotten, account_id, head[3])
end
redis.call('UNLINK', KEYS.execution, KEYS.events, KEYS.progress, KEYS.run_webhook)
for place = FIRST.groups, LAST.groups do redis.call('UNLINK', KEYS[place]) end
redis.call('ZREM', KEYS.executions, ARGV.execution_id)
redis.call('ZREM', KEYS.finished, ARGV.reference)
redis.call('ZREM', KEYS.unarchived, ARGV.reference)
return head[1] and 2 or 1
