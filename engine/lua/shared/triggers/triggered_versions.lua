-- Return the versions of a workflow that triggers of its account name, as keys of a table.
local function triggered_versions(slug)
  local versions = {}
  for _, field in ipairs(redis.call('HKEYS', KEYS.triggers)) do
    if string.match(field, '%.pins$') then
      local pinned, version = string.match(redis.call('HGET', KEYS.triggers, field), '^(.*)@(%d+)$')
      if pinned == slug then versions[version] = true end
    end
  end
  return versions
end
