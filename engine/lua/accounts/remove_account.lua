#!lua flags=allow-oom
-- Remove an account's record, the last step of its erasure.
-- Called again, the script changes nothing.
-- KEYS: accounts, audit
-- ARGV: now?, account, access_changes (channel), act*6
-- Returns 1 | 0 when it was removed before
-- Uses: read_now, add_audit
if redis.call('HDEL', KEYS.accounts, ARGV.account) == 0 then return 0 end
add_audit(read_now(ARGV.now))
redis.call('PUBLISH', ARGV.access_changes, ARGV.account)
return 1
