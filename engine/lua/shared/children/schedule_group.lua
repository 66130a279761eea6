-- Schedule the next look at a group, `at` in milliseconds, and at its account no later than that.
local function schedule_group(account, member, at)
  at = string.format('%d', at)
  redis.call('ZADD', KEYS.open_children, at, member)
  redis.call('ZADD', KEYS.children_due, 'LT', at, account)
end
