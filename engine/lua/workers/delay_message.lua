#!lua
-- Keep a message until it is due. Called again, the script changes only the time.
-- KEYS: 1 delayed messages
-- ARGV: 1 now (0: Redis's clock), 2 delay in milliseconds, 3 message
-- Returns the due time in milliseconds
-- Uses: read_now
local due = string.format('%d', read_now(ARGV[1]) + tonumber(ARGV[2]))
redis.call('ZADD', KEYS[1], due, ARGV[3])
return due
