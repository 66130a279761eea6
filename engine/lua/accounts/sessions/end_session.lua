#!lua flags=allow-oom
-- End a session.
-- Called again, the script changes nothing.
-- KEYS: session, session_record, account_sessions, audit
-- ARGV: now?, session_id, account, access_changes (channel), act*6
-- Returns 1 | 0 when it has ended
-- Uses: read_now, add_audit
redis.call('DEL', KEYS.session_record)
redis.call('ZREM', KEYS.account_sessions, ARGV.session_id)
if redis.call('DEL', KEYS.session) == 0 then return 0 end
add_audit(read_now(ARGV.now))
redis.call('PUBLISH', ARGV.access_changes, ARGV.account)
return 1
