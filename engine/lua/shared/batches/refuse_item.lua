-- Return the refusal of an item to begin, nil for none; and for `begin_item` the statuses of all
-- items.
local function refuse_item(now, active)
  -- Uses: item_states, item_room
  local status, states, concurrency = unpack(redis.call('HMGET', KEYS.batch, 'status', 'states',
    'concurrency'))
  if status ~= 'processing' then return {'cancelled'} end
  if string.sub(states, ARGV.item + 1, ARGV.item + 1) ~= 'q' then return {'begun'} end
  local batch = string.match(KEYS.batch, '[^:]+$')
  local room, later = item_room(now, batch, states, concurrency, active)
  if later then return {'later', later} end
  if room == 0 then return {'full'} end
  return nil, with_state(states, ARGV.item, 'p')
end
