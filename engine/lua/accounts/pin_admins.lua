#!lua
-- Pin the admins of a partition: one at least keeps the role for a while.
-- Called again, the script returns its first answer.
-- KEYS: accounts, admin_pins
-- ARGV: now?, token, pin_ms (until the pin ends)
-- Returns the time at which the pin ends | 0 without an admin
-- Uses: read_now, has_admin
local now = read_now(ARGV.now)

redis.call('ZREMRANGEBYSCORE', KEYS.admin_pins, '-inf', string.format('%d', now))
if not has_admin('') then return 0 end
local ends = string.format('%d', now + tonumber(ARGV.pin_ms))
redis.call('ZADD', KEYS.admin_pins, ends, ARGV.token)
redis.call('PEXPIRE', KEYS.admin_pins, ARGV.pin_ms)
return tonumber(ends)
