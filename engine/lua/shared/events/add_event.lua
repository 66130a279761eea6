-- Add an entry for the watchers of an execution, numbered in order. Fields of its record: `events`
-- is the number of the last entry, present once it is watched; `watchers` are the channels to
-- notify, each followed by a comma.
local function add_event(record, stream, ...)
  local number = redis.call('HINCRBY', record, 'events', 1)
  redis.call('XADD', stream, string.format('%d-0', number), ...)
end
