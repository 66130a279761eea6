#!lua flags=no-writes
-- Read an asset of an account; another account's asset reads like a missing one.
-- KEYS: 1 asset
-- ARGV: 1 account id
-- Returns fields and values, none when the account has no such asset
local head = redis.call('HMGET', KEYS[1], 'account', 'state')
if head[1] ~= ARGV[1] or head[2] ~= 'kept' then return {} end
return redis.call('HGETALL', KEYS[1])
