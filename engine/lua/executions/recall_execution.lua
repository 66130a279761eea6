#!lua
-- Put an archived execution that was forgotten back, as it was: it can be retried then. It counts as
-- ended now, and is forgotten again later.
-- KEYS: 1 execution, 2 account's executions, 3 finished, 4 events
-- ARGV: 1 now (0: Redis's clock), 2 execution id, 3 reference, 4 creation time in milliseconds,
--       5 number of fields, then each field and its value, then for each entry of the events: its
--       id, its number of words, and these
-- Returns 1 when it was put back, 0 when it is there
-- Uses: read_now
local now = read_now(ARGV[1])

if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
local last = 5 + 2 * tonumber(ARGV[5])
for position = 6, last, 2 do
  redis.call('HSET', KEYS[1], ARGV[position], ARGV[position + 1])
end
local position = last + 1
while ARGV[position] do
  local words = tonumber(ARGV[position + 1])
  redis.call('XADD', KEYS[4], ARGV[position], unpack(ARGV, position + 2, position + 1 + words))
  position = position + 2 + words
end
redis.call('ZADD', KEYS[2], ARGV[4], ARGV[2])
redis.call('ZADD', KEYS[3], now, ARGV[3])
return 1
