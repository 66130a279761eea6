-- Notify the watchers of an execution, and remove channels without a subscriber.
local function notify_watchers(execution, execution_id)
  local watchers = redis.call('HGET', execution, 'watchers') or ''
  local left = string.gsub(watchers, '([^,]+),', function(channel)
    return redis.call('PUBLISH', channel, 'events:' .. execution_id) == 0 and '' or nil
  end)
  if left ~= watchers then redis.call('HSET', execution, 'watchers', left) end
end
