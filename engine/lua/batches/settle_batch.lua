#!lua flags=allow-oom
-- Note that the end of a batch needs no further look: whoever wants to hear of it has a delivery.
-- KEYS: batch, open_batches, unarchived_batches
-- ARGV: id, account_id
-- Returns 1, or 0 for a batch that goes on
local status, completed = unpack(redis.call('HMGET', KEYS.batch, 'status', 'completed'))
if status and not completed then return 0 end
if redis.call('ZREM', KEYS.open_batches, ARGV.id) == 1 and status then
  redis.call('ZADD', KEYS.unarchived_batches, completed, ARGV.account_id .. '/' .. ARGV.id)
end
return 1
