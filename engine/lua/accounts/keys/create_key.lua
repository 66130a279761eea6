#!lua
-- Create an API key.
-- Called again, the script changes nothing.
-- After a lost reply the call is sent again.
-- KEYS: account_api_keys, api_keys, audit
-- ARGV: now?, api_key, digest, record, act*6
-- Returns 1
-- Uses: read_now, add_audit
if redis.call('HSETNX', KEYS.account_api_keys, ARGV.api_key, ARGV.digest) == 1 then
  redis.call('HSET', KEYS.api_keys, ARGV.digest, ARGV.record)
  add_audit(read_now(ARGV.now))
end
return 1
