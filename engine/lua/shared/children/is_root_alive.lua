-- Return whether the root of a child goes on.
local function is_root_alive()
  return redis.call('HGET', KEYS.root, 'status') == 'processing'
end
