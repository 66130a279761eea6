#!lua flags=allow-oom
-- Delete a workflow and schedule its review: the latest version stays until the delete cannot be
-- undone, other versions until no execution runs them.
-- KEYS: 1 workflow, 2 account's workflows, 3 counters of the account's documents, 4 workflows due,
--       5 account's workflows by time
-- ARGV: 1 now (0: Redis's clock), 2 slug, 3 reference
-- Returns 1 when it existed, else 0
-- Uses: read_now
local stamp = string.format('%d', read_now(ARGV[1]))
local state = redis.call('HGET', KEYS[1], 'state')
if not state or state == 'deleted' then return 0 end
redis.call('HSET', KEYS[1], 'state', 'deleted', 'deleted', stamp)
redis.call('SREM', KEYS[2], ARGV[2])
redis.call('ZREM', KEYS[5], ARGV[2])
redis.call('ZADD', KEYS[4], stamp, ARGV[3])
return 1
