#!lua flags=allow-oom
-- Note that something of an account has changed, for readers of the account's events.
-- KEYS: 1 changes of the account
-- ARGV: 1 now (0: Redis's clock), 2 name of what has changed, 3 milliseconds to keep it, 4 most
--       changes to keep
-- Returns the time
-- Uses: read_now
local now = read_now(ARGV[1])
local stamp = string.format('%d', now)
redis.call('ZADD', KEYS[1], stamp, ARGV[2])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('%d', now - tonumber(ARGV[3])))
redis.call('ZREMRANGEBYRANK', KEYS[1], 0, -tonumber(ARGV[4]) - 1)
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return stamp
