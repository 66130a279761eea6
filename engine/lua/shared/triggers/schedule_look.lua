-- Schedule the next look at a schedule, `at` in milliseconds, '' for none; and at its account no
-- later than that.
local function schedule_look(account, id, at)
  if at == '' then
    redis.call('ZREM', KEYS.open_schedules, id)
    return
  end
  redis.call('ZADD', KEYS.open_schedules, at, id)
  redis.call('ZADD', KEYS.schedules_due, 'LT', at, account)
end
