#!lua flags=allow-oom
-- Delete an API key, and disable the triggers that it made. Its webhook is kept for a while, for
-- executions that the key began.
-- Called again, the script changes nothing.
-- After a lost reply the call is sent again.
-- KEYS: account_api_keys, api_keys, key_uses, webhook, audit, triggers (of the account),
--       open_schedules
-- ARGV: now?, api_key, digest, webhook_ms (to keep the webhook), account, access_changes
--       (channel), act*6
-- Returns 1
-- Uses: read_now, add_audit, disable_triggers
redis.call('HDEL', KEYS.api_keys, ARGV.digest)
redis.call('HDEL', KEYS.key_uses, ARGV.api_key)
if redis.call('HDEL', KEYS.account_api_keys, ARGV.api_key) == 0 then return 1 end
redis.call('PEXPIRE', KEYS.webhook, ARGV.webhook_ms)
local now = read_now(ARGV.now)
disable_triggers(now, ARGV.api_key)
add_audit(now)
redis.call('PUBLISH', ARGV.access_changes, ARGV.account)
return 1
