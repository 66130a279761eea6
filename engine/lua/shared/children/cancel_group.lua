-- Cancel the queued children of an open group. With none that runs, the group is done.
local function cancel_group()
  local size, running = unpack(redis.call('HMGET', KEYS.group, 'size', 'running'))
  for first = 0, size - 1, 1000 do
    local field = 's' .. first / 1000
    local states = string.gsub(redis.call('HGET', KEYS.group, field), 'q', 'x')
    redis.call('HSET', KEYS.group, field, states)
  end
  redis.call('HSET', KEYS.group, 'queued', '0', 'status',
    tonumber(running) > 0 and 'cancelling' or 'done')
end
