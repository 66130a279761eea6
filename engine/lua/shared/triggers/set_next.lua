-- Set the next due time of a schedule, '' for none, when the former one has its occurrence.
local function set_next(account, trigger, next_at)
  -- Uses: schedule_look
  redis.call('HSET', KEYS.triggers, trigger .. '.next', next_at)
  redis.call('HDEL', KEYS.triggers, trigger .. '.held')
  schedule_look(account, trigger, next_at)
end
