#!lua
-- Put an archived execution that was forgotten back, as it was: it can be retried then. It counts
-- as ended now, and is forgotten again later.
-- KEYS: execution, executions, finished, events
-- ARGV: now?, execution_id, reference, created (in milliseconds), fields... (and their values),
--       entries... (of the events, each its id, its number of words, and these)
-- Returns 1 when it was put back, 0 when it is there
-- Uses: read_now
local now = read_now(ARGV.now)

if redis.call('EXISTS', KEYS.execution) == 1 then return 0 end
for position = FIRST.fields, LAST.fields, 2 do
  redis.call('HSET', KEYS.execution, ARGV[position], ARGV[position + 1])
end
local position = FIRST.entries
while ARGV[position] do
  local words = tonumber(ARGV[position + 1])
  redis.call('XADD', KEYS.events, ARGV[position], unpack(ARGV, position + 2, position + 1 + words))
  position = position + 2 + words
end
redis.call('ZADD', KEYS.executions, ARGV.created, ARGV.execution_id)
redis.call('ZADD', KEYS.finished, now, ARGV.reference)
return 1
