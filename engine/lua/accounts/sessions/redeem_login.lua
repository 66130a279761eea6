#!lua
-- Turn a login link into a session and delete the link.
-- Called again, the script returns its first answer.
-- KEYS: 1 login link, 2 session, 3 accounts of the partition, 4 session's record, 5 account's
--       sessions
-- ARGV: 1 now (0: Redis's clock), 2 account id, 3 milliseconds until the session ends,
--       4 session id, 5 digest, 6 user agent, 7 address
-- Returns account id | false
-- Uses: read_now
local now = read_now(ARGV[1])
local stamp = string.format('%d', now)

local known = redis.call('GET', KEYS[2])
if known then return known end
if redis.call('GET', KEYS[1]) ~= ARGV[2] then return false end
if redis.call('HEXISTS', KEYS[3], ARGV[2]) == 0 then return false end
redis.call('SET', KEYS[2], ARGV[2], 'PX', ARGV[3])
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[4], 'account', ARGV[2], 'digest', ARGV[5], 'created', stamp, 'used', stamp,
  'agent', ARGV[6], 'address', ARGV[7])
redis.call('PEXPIRE', KEYS[4], ARGV[3])
redis.call('ZREMRANGEBYSCORE', KEYS[5], '-inf', stamp)
redis.call('ZADD', KEYS[5], string.format('%d', now + tonumber(ARGV[3])), ARGV[4])
redis.call('PEXPIRE', KEYS[5], ARGV[3])
return ARGV[2]
