#!lua flags=allow-oom
-- Retain an asset for an execution, which may begin later, or for a workflow. A full Redis still
-- accepts it, since accepted executions use assets, and new executions are refused before.
-- After a lost reply the call is sent again.
-- KEYS: asset, assets_due, asset_references
-- ARGV: now?, asset_id, account, reference, least_ms (remaining life)
-- Returns 1 | 0 when the account has no such asset
-- Uses: read_now
local now = read_now(ARGV.now)
local head = redis.call('HMGET', KEYS.asset, 'account', 'state', 'expires')
if head[1] ~= ARGV.account or head[2] ~= 'stored' then return 0 end
redis.call('SADD', KEYS.asset_references, ARGV.reference)
local least = now + tonumber(ARGV.least_ms)
if tonumber(head[3]) < least then
  redis.call('HSET', KEYS.asset, 'expires', string.format('%d', least))
  redis.call('ZADD', KEYS.assets_due, string.format('%d', least), ARGV.asset_id)
end
return 1
