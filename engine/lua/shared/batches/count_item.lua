-- Count the end of an item's execution in its batch, and remove the book of a replay's execution.
local function count_item(now, status, spent)
  local CODES = {completed = 'c', failed = 'f', cancelled = 'x'}
  local id, item = unpack(redis.call('HMGET', KEYS.execution, 'batch', 'item'))
  local batch_status, states = unpack(redis.call('HMGET', KEYS.batch, 'status', 'states'))
  if not states or string.sub(states, item + 1, item + 1) ~= 'p' then return end
  -- Uses: schedule_batch, item_states, save_states
  redis.call('HDEL', KEYS.execution, 'book')
  redis.call('HINCRBY', KEYS.account_items, 'active', -1)
  if spent > 0 then redis.call('HINCRBY', KEYS.batch, 'spent', string.format('%d', spent)) end
  states = with_state(states, item, CODES[status])
  save_states(states, batch_status, string.match(ARGV.reference, '^[^/]+'), id, now)
end
