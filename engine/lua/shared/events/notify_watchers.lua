-- Notify the watchers of an execution, and remove channels without a subscriber. In a cluster, in
-- which the names of channels begin with a star, subscribers at other nodes are not counted.
local function notify_watchers(record, id)
  local watchers = redis.call('HGET', record, 'watchers') or ''
  local left = string.gsub(watchers, '([^,]+),', function(channel)
    local is_gone = redis.call('PUBLISH', channel, 'events:' .. id) == 0
      and not string.find(channel, '^hr:notifier:%*')
    return is_gone and '' or nil
  end)
  if left ~= watchers then redis.call('HSET', record, 'watchers', left) end
end
