-- What those who watch an execution are told: entries, numbered in the order in which it happened.
-- `events` on its record is the number of the last, there from when somebody first watches;
-- `watchers` are the channels to ring, each with a comma behind it.
local function add_event(keys, execution, ...)
  local number = redis.call('HINCRBY', execution, 'events', 1)
  redis.call('XADD', keys.events, string.format('%d-0', number), ...)
end
