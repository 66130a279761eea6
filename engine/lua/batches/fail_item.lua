#!lua flags=allow-oom
-- End a queued item that cannot become an execution, with its error. Called again, the script
-- changes nothing.
-- KEYS: batch, account_items, open_batches, batches_due
-- ARGV: now?, id, account_id, item (counted from 0), error (packed)
-- Returns 1, or 0 for an item that is not queued
-- Uses: read_now, schedule_batch, item_states, save_states
local now = read_now(ARGV.now)
local status, states = unpack(redis.call('HMGET', KEYS.batch, 'status', 'states'))
if status ~= 'processing' or string.sub(states, ARGV.item + 1, ARGV.item + 1) ~= 'q' then
  return 0
end
redis.call('HSET', KEYS.batch, 'f' .. ARGV.item, ARGV.error)
redis.call('HINCRBY', KEYS.account_items, 'queued', -1)
save_states(with_state(states, ARGV.item, 'f'), status, ARGV.account_id, ARGV.id, now)
return 1
