#!lua flags=allow-oom
-- End a session.
-- Called again, the script changes nothing.
-- KEYS: 1 session, 2 session's record, 3 account's sessions, 4 audit log
-- ARGV: 1 now (0: Redis's clock), 2 session id, 3 account id, 4 channel of changed accesses,
--       5 to 10 the act of the audit log
-- Returns 1 | 0 when it has ended
-- Uses: read_now, add_audit
local keys = {audit = KEYS[4]}
redis.call('DEL', KEYS[2])
redis.call('ZREM', KEYS[3], ARGV[2])
if redis.call('DEL', KEYS[1]) == 0 then return 0 end
add_audit(keys, read_now(ARGV[1]), 5)
redis.call('PUBLISH', ARGV[4], ARGV[3])
return 1
