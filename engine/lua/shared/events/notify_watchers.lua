-- Notify the watchers of an execution, and remove channels without a subscriber.
local function notify_watchers()
  local watchers = redis.call('HGET', KEYS.execution, 'watchers') or ''
  local left = string.gsub(watchers, '([^,]+),', function(channel)
    return redis.call('PUBLISH', channel, 'events:' .. ARGV.execution_id) == 0 and '' or nil
  end)
  if left ~= watchers then redis.call('HSET', KEYS.execution, 'watchers', left) end
end
