-- Return whether a workflow calls a version of `slug` by its number.
-- KEYS: callers, as `workflow_calls` writes it.
local function is_called(slug, version)
  local call = slug .. '@' .. version
  local found = redis.call('ZRANGE', KEYS.callers, '[' .. call .. '/', '(' .. call .. '0', 'BYLEX',
    'LIMIT', 0, 1)
  return #found > 0
end
