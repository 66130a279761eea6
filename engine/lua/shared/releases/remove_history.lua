-- Remove the history of an alias from KEYS.alias_history.
local function remove_history(name)
  local last = tonumber(redis.call('HGET', KEYS.alias_history, name .. '.last') or '0')
  local bytes = 0
  for number = math.max(1, last - 199), last do
    local field = string.format('%s.%d', name, number)
    bytes = bytes + redis.call('HSTRLEN', KEYS.alias_history, field)
    redis.call('HDEL', KEYS.alias_history, field)
  end
  redis.call('HDEL', KEYS.alias_history, name .. '.last')
  if bytes == 0 then return end
  redis.call('HINCRBY', KEYS.alias_history, 'bytes', -bytes)
  count_documents(-bytes, 0)
end
