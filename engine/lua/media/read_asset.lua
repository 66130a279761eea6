#!lua flags=no-writes
-- Read an asset of an account; another account's asset reads like a missing one.
-- After a lost reply the call is sent again.
-- KEYS: asset
-- ARGV: account
-- Returns fields and values, none when the account has no such asset
local head = redis.call('HMGET', KEYS.asset, 'account', 'state')
if head[1] ~= ARGV.account or head[2] ~= 'stored' then return {} end
return redis.call('HGETALL', KEYS.asset)
