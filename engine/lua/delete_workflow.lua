#!lua flags=allow-oom
-- Delete a workflow; its documents stay while executions may still walk them.
-- KEYS: 1 workflow, 2 account's workflows
-- ARGV: 1 slug, 2 milliseconds to keep the documents
-- Returns 1 when it was there, else 0
local state = redis.call('HGET', KEYS[1], 'state')
if not state or state == 'deleted' then return 0 end
redis.call('HSET', KEYS[1], 'state', 'deleted')
redis.call('PEXPIRE', KEYS[1], ARGV[2])
redis.call('SREM', KEYS[2], ARGV[1])
return 1
