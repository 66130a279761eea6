#!lua
-- Put an archived batch that was forgotten back, as it was: its failed items can be run again then.
-- It counts as archived now, and is forgotten again later.
-- KEYS: batch, batches (of the account), archived_batches
-- ARGV: now?, id, reference, created (in milliseconds), fields... (and their values)
-- Returns 1 when it was put back, 0 when it is there
-- Uses: read_now
local now = read_now(ARGV.now)

if redis.call('EXISTS', KEYS.batch) == 1 then return 0 end
for position = FIRST.fields, LAST.fields, 2 do
  redis.call('HSET', KEYS.batch, ARGV[position], ARGV[position + 1])
end
redis.call('ZADD', KEYS.batches, ARGV.created, ARGV.id)
redis.call('ZADD', KEYS.archived_batches, string.format('%d', now), ARGV.reference)
return 1
