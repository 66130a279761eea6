#!lua flags=allow-oom
-- End a session.
-- Called again, the script changes nothing.
-- KEYS: 1 session, 2 session's record, 3 account's sessions
-- ARGV: 1 session id
-- Returns 1 | 0 when it has ended
local ended = redis.call('DEL', KEYS[1])
redis.call('DEL', KEYS[2])
redis.call('ZREM', KEYS[3], ARGV[1])
return ended
