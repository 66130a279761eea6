#!lua flags=allow-oom
-- Note that the end of a batch needs no further look: whoever wants to hear of it has a delivery.
-- After a lost reply the call is sent again.
-- KEYS: batch, open_batches, account_items, ended (batches that are over: the history's outbox, or
--       for a replay or a test run the set for its removal)
-- ARGV: id, account_id
-- Returns 1, or 0 for a batch that goes on
local status, completed, kind = unpack(redis.call('HMGET', KEYS.batch, 'status', 'completed',
  'kind'))
if status and not completed then return 0 end
if redis.call('ZREM', KEYS.open_batches, ARGV.id) == 1 and status then
  redis.call('ZADD', KEYS.ended, completed, ARGV.account_id .. '/' .. ARGV.id)
  if kind then redis.call('HINCRBY', KEYS.account_items, 'lists', -1) end
end
return 1
