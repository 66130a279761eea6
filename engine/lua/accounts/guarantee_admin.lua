#!lua
-- Guarantee that a partition keeps an admin for a while.
-- Called again, the script returns its first answer.
-- After a lost reply the call is sent again.
-- KEYS: accounts, admin_guarantees
-- ARGV: now?, token, guarantee_ms (until the guarantee ends)
-- Returns the time at which the guarantee ends | 0 without an admin
-- Uses: read_now, has_admin
local now = read_now(ARGV.now)

redis.call('ZREMRANGEBYSCORE', KEYS.admin_guarantees, '-inf', string.format('%d', now))
if not has_admin('') then return 0 end
local ends = string.format('%d', now + tonumber(ARGV.guarantee_ms))
redis.call('ZADD', KEYS.admin_guarantees, ends, ARGV.token)
redis.call('PEXPIRE', KEYS.admin_guarantees, ARGV.guarantee_ms)
return tonumber(ends)
