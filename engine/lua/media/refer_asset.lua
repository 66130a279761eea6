#!lua flags=allow-oom
-- Retain an asset for an execution, which may begin later, or for a workflow. A full Redis still
-- accepts it, since accepted executions use assets, and new executions are refused before.
-- KEYS: 1 asset, 2 assets due, 3 references
-- ARGV: 1 now (0: Redis's clock), 2 asset id, 3 account id, 4 reference, 5 minimum remaining life
--       in milliseconds
-- Returns 1 | 0 when the account has no such asset
-- Uses: read_now
local now = read_now(ARGV[1])
local head = redis.call('HMGET', KEYS[1], 'account', 'state', 'expires')
if head[1] ~= ARGV[3] or head[2] ~= 'kept' then return 0 end
redis.call('SADD', KEYS[3], ARGV[4])
local least = now + tonumber(ARGV[5])
if tonumber(head[3]) < least then
  redis.call('HSET', KEYS[1], 'expires', string.format('%d', least))
  redis.call('ZADD', KEYS[2], string.format('%d', least), ARGV[2])
end
return 1
