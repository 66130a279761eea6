#!lua
-- Keep a message until it is due. Called again, the script changes only the time.
-- After a lost reply the call is sent again.
-- KEYS: delayed (messages)
-- ARGV: now?, delay_ms, message
-- Returns the due time in milliseconds
-- Uses: read_now
local due = string.format('%d', read_now(ARGV.now) + tonumber(ARGV.delay_ms))
redis.call('ZADD', KEYS.delayed, due, ARGV.message)
return due
