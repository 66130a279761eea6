#!lua flags=allow-oom
-- Record that something of an account has changed, for readers of the account's events.
-- KEYS: changes (of the account)
-- ARGV: now?, change (name of the changed object), keep_ms, most (changes to keep)
-- Returns the time
-- Uses: read_now
local now = read_now(ARGV.now)
local stamp = string.format('%d', now)
redis.call('ZADD', KEYS.changes, stamp, ARGV.change)
local oldest = string.format('%d', now - tonumber(ARGV.keep_ms))
redis.call('ZREMRANGEBYSCORE', KEYS.changes, '-inf', oldest)
redis.call('ZREMRANGEBYRANK', KEYS.changes, 0, -tonumber(ARGV.most) - 1)
redis.call('PEXPIRE', KEYS.changes, ARGV.keep_ms)
return stamp
