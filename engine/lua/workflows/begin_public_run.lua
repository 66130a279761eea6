#!lua
-- Record that an execution of another account is about to begin with the live version, so that its
-- document is kept. The execution itself is in the slot of that account.
-- KEYS: workflow
-- ARGV: now?, version
-- Returns 'ok' | 'stale' when another version is live | 'gone'
-- Uses: read_now
local now = read_now(ARGV.now)
local head = redis.call('HMGET', KEYS.workflow, 'version', 'state')
if not head[1] or head[2] == 'deleted' then return 'gone' end
if head[1] ~= ARGV.version then return 'stale' end
redis.call('HSET', KEYS.workflow, 'r' .. ARGV.version, '1',
  'p' .. ARGV.version, string.format('%d', now))
return 'ok'
