#!lua
-- Pin the admins of a partition: one at least keeps the role for a while.
-- Called again, the script returns its first answer.
-- KEYS: 1 accounts of the partition, 2 pins of its admins
-- ARGV: 1 now (0: Redis's clock), 2 token, 3 milliseconds until the pin ends
-- Returns the time at which the pin ends | 0 without an admin
-- Uses: read_now, has_admin
local now = read_now(ARGV[1])
local keys = {accounts = KEYS[1]}

redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', string.format('%d', now))
if not has_admin(keys, '') then return 0 end
local ends = string.format('%d', now + tonumber(ARGV[3]))
redis.call('ZADD', KEYS[2], ends, ARGV[2])
redis.call('PEXPIRE', KEYS[2], ARGV[3])
return tonumber(ends)
