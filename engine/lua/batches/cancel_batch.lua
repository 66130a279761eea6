#!lua flags=allow-oom
-- Cancel a batch: queued items never begin, and those that run are cancelled by the caller. Called
-- again, the script changes nothing.
-- After a lost reply the call is sent again.
-- KEYS: batch, account_items, open_batches, batches_due
-- ARGV: now?, id, account_id
-- Returns the status, or '' without such a batch
-- Uses: read_now, schedule_batch, item_states, save_states
local now = read_now(ARGV.now)
local status, states = unpack(redis.call('HMGET', KEYS.batch, 'status', 'states'))
if status ~= 'processing' then return status or '' end
local queued = count_states(states, 'q')
if queued > 0 then redis.call('HINCRBY', KEYS.account_items, 'queued', -queued) end
redis.call('HSET', KEYS.batch, 'status', 'cancelling')
save_states(string.gsub(states, 'q', 'x'), 'cancelling', ARGV.account_id, ARGV.id, now)
schedule_batch(ARGV.account_id, ARGV.id, now)
return redis.call('HGET', KEYS.batch, 'status')
