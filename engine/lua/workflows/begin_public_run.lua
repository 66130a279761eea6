#!lua
-- Note that an execution of another account is about to begin with the live version, so that its
-- document is kept. The execution itself is in the slot of that account.
-- KEYS: 1 workflow
-- ARGV: 1 now (0: Redis's clock), 2 version
-- Returns 'ok' | 'stale' when another version is live | 'gone'
-- Uses: read_now
local now = read_now(ARGV[1])
local head = redis.call('HMGET', KEYS[1], 'version', 'state')
if not head[1] or head[2] == 'deleted' then return 'gone' end
if head[1] ~= ARGV[2] then return 'stale' end
redis.call('HSET', KEYS[1], 'r' .. ARGV[2], '1', 'p' .. ARGV[2], string.format('%d', now))
return 'ok'
