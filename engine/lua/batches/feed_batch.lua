#!lua flags=allow-oom
-- Take the next queued items of a batch, to begin them one by one: no other worker gets items of
-- this batch for the time of the lease. Called again with the same token, the script goes on from
-- the items that have begun. The next look at the batch is scheduled.
-- After a lost reply the call is sent again.
-- KEYS: batch, account_items, open_batches, batches_due, active (executions of the account),
--       waiting_items (of the account), windows? (of the account, if its runs are limited)
-- ARGV: now?, id, account_id, token, lease_ms, most (items), look_ms (until the next look),
--       most_items? (of the account that run), most_active? (executions), most_calls?, bucket?,
--       window_ms?
-- Returns {'items', positions of items joined by commas} | {'held'} by another worker | {'full'}
--         | {'later', end of the window} | {'begun'} without a queued item | {'cancelling'}
--         | {'over'} when its end is to be delivered | {'settled'} | {'gone'}
-- Uses: read_now, schedule_batch, item_states, item_room
local now = read_now(ARGV.now)
local status, states, concurrency, feeder, held_until, kind = unpack(redis.call('HMGET',
  KEYS.batch, 'status', 'states', 'concurrency', 'feeder', 'feeder_until', 'kind'))
local function answer(verdict, at)
  if feeder == ARGV.token then redis.call('HDEL', KEYS.batch, 'feeder', 'feeder_until') end
  if at then schedule_batch(ARGV.account_id, ARGV.id, at) end
  return {verdict, at}
end

if not status then
  redis.call('ZREM', KEYS.open_batches, ARGV.id)
  return {'gone'}
end
local next_look = now + tonumber(ARGV.look_ms)
if status == 'cancelling' then return answer('cancelling', next_look) end
if status ~= 'processing' then
  if not redis.call('ZSCORE', KEYS.open_batches, ARGV.id) then return answer('settled') end
  return answer('over', next_look)
end
if feeder and feeder ~= ARGV.token and tonumber(held_until) > now then return {'held'} end
local first = string.find(states, 'q', 1, true)
if not first then
  redis.call('ZREM', KEYS.open_batches, ARGV.id)
  return answer('begun')
end
local active = redis.call('SCARD', KEYS.active)
local room, later = item_room(now, ARGV.id, states, concurrency, active, kind)
if later then return answer('later', later) end
if room == 0 then return answer('full', next_look) end

local items = {}
while first and #items < math.min(room, tonumber(ARGV.most)) do
  items[#items + 1] = first - 1
  first = string.find(states, 'q', first + 1, true)
end
redis.call('HSET', KEYS.batch, 'feeder', ARGV.token, 'feeder_until',
  string.format('%d', now + tonumber(ARGV.lease_ms)))
schedule_batch(ARGV.account_id, ARGV.id, next_look)
return {'items', table.concat(items, ',')}
