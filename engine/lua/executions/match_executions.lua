#!lua flags=no-writes
-- Find the executions with a status, a workflow, a version, a source, a key or a model. One of
-- another account's workflow has no version and model that its caller may know.
-- KEYS: 1 and on, executions
-- ARGV: 1 statuses 'completed,failed', 2 workflow's slug, 3 version, 4 source, 5 key's id, 6 model's
--       internal name (each '' for any)
-- Returns the matching positions in KEYS
local function has(list, word)
  return string.find(',' .. (list or '') .. ',', ',' .. word .. ',', 1, true)
end

local found = {}
for position = 1, #KEYS do
  local status, slug, version, source, key, models, owner = unpack(redis.call('HMGET',
    KEYS[position], 'status', 'slug', 'version', 'source', 'key', 'models', 'owner'))
  local is_wanted = status and (ARGV[1] == '' or has(ARGV[1], status))
    and (ARGV[2] == '' or slug == ARGV[2])
    and (ARGV[3] == '' or not owner and version == ARGV[3])
    and (ARGV[4] == '' or source == ARGV[4])
    and (ARGV[5] == '' or key == ARGV[5])
    and (ARGV[6] == '' or not owner and has(models, ARGV[6]))
  if is_wanted then found[#found + 1] = position end
end
return found
