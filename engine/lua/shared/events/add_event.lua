-- Add an entry for the watchers of an execution, numbered in order. Fields of its record: `events`
-- is the number of the last entry, present once it is watched; `watchers` are the channels to
-- notify, each followed by a comma.
local function add_event(keys, execution, ...)
  local number = redis.call('HINCRBY', execution, 'events', 1)
  redis.call('XADD', keys.events, string.format('%d-0', number), ...)
end
