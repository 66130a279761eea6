#!lua
-- Replace an API key's record unless it has changed since it was read.
-- Called again, the script returns its first answer.
-- After a lost reply the call is sent again.
-- KEYS: account_api_keys, api_keys
-- ARGV: now?, api_key, digest, record (as it was read), new_record, expires_at? (in milliseconds;
--       absent: none, or no change), account, access_changes (channel)
-- Returns 'ok' | 'missing' | 'changed' | 'late' when the expiry is over
-- Uses: read_now
if redis.call('HGET', KEYS.account_api_keys, ARGV.api_key) ~= ARGV.digest then return 'missing' end
local record = redis.call('HGET', KEYS.api_keys, ARGV.digest)
if record == ARGV.new_record then return 'ok' end
if record ~= ARGV.record then return 'changed' end
if ARGV.expires_at ~= '' and tonumber(ARGV.expires_at) <= read_now(ARGV.now) then return 'late' end
redis.call('HSET', KEYS.api_keys, ARGV.digest, ARGV.new_record)
redis.call('PUBLISH', ARGV.access_changes, ARGV.account)
return 'ok'
