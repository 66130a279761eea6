-- Disable the triggers that an API key made.
local function disable_triggers(now, api_key)
  for _, field in ipairs(redis.call('HKEYS', KEYS.triggers)) do
    local id = string.match(field, '^([^.]+)%.key$')
    if id and redis.call('HGET', KEYS.triggers, field) == api_key
      and redis.call('HGET', KEYS.triggers, id .. '.enabled') == '1' then
      redis.call('HSET', KEYS.triggers, id .. '.enabled', '0', id .. '.next', '', id .. '.updated',
        string.format('%d', now))
      redis.call('HDEL', KEYS.triggers, id .. '.held')
      redis.call('HINCRBY', KEYS.triggers, id .. '.revision', 1)
      redis.call('ZREM', KEYS.open_schedules, id)
    end
  end
end
