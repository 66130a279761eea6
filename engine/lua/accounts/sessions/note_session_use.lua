#!lua flags=allow-oom
-- Record the time of a session's use, and extend the session if asked to. A session from before
-- sessions had records gets one.
-- KEYS: 1 session, 2 session's record, 3 account's sessions
-- ARGV: 1 now (0: Redis's clock), 2 account id, 3 session id, 4 digest, 5 milliseconds until the
--       session ends, 6 '1' to extend the session
-- Returns 1 | 0 when the session has ended
-- Uses: read_now
if redis.call('GET', KEYS[1]) ~= ARGV[2] then return 0 end
local now = read_now(ARGV[1])
local stamp = string.format('%d', now)

if ARGV[6] == '1' then redis.call('PEXPIRE', KEYS[1], ARGV[5]) end
local left = redis.call('PTTL', KEYS[1])
redis.call('HSETNX', KEYS[2], 'created', stamp)
redis.call('HSET', KEYS[2], 'account', ARGV[2], 'digest', ARGV[4], 'used', stamp)
redis.call('PEXPIRE', KEYS[2], left)
redis.call('ZADD', KEYS[3], string.format('%d', now + left), ARGV[3])
redis.call('PEXPIRE', KEYS[3], ARGV[5])
return 1
