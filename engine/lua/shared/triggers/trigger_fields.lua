-- Return the names of a trigger's fields, in the order of `engine/store/triggers/records.py`.
local function trigger_names(id)
  local names = {id}
  for _, field in ipairs({'enabled', 'revision', 'key', 'created', 'updated', 'since', 'next',
    'held', 'last', 'last_run', 'skipped', 'token', 'hook', 'secret', 'forgotten', 'pins'}) do
    names[#names + 1] = id .. '.' .. field
  end
  return names
end

-- Return their values.
local function trigger_fields(id)
  return redis.call('HMGET', KEYS.triggers, unpack(trigger_names(id)))
end
