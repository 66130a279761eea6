#!lua flags=allow-oom
-- Record the time of an API key's use, unless the key is deleted.
-- After a lost reply the call is sent again.
-- KEYS: account_api_keys, key_uses
-- ARGV: now?, api_key
-- Returns 1 | 0 when there is no such key
-- Uses: read_now
if redis.call('HEXISTS', KEYS.account_api_keys, ARGV.api_key) == 0 then return 0 end
local now = read_now(ARGV.now)
redis.call('HSET', KEYS.key_uses, ARGV.api_key, string.format('%d', now))
return 1
