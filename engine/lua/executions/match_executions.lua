#!lua flags=no-writes
-- Find the executions with a status, a workflow, a version, a source, a key, a model or an HTTP
-- request. One of another account's workflow has no version and model that its caller may know.
-- KEYS: 1 and on, executions
-- ARGV: 1 statuses 'completed,failed', 2 workflow's slug, 3 version, 4 source, 5 key's id, 6 model's
--       internal name, 7 id of the request (each '' for any, 5 and 6 '-' for none)
-- Returns the matching positions in KEYS
local function has(list, word)
  return string.find(',' .. (list or '') .. ',', ',' .. word .. ',', 1, true)
end

local function fits_model(wanted, models, owner)
  if wanted == '' then return true end
  if wanted == '-' then return owner or not models or models == '' end
  return not owner and has(models, wanted)
end

local found = {}
for position = 1, #KEYS do
  local status, slug, version, source, key, models, owner, request = unpack(redis.call('HMGET',
    KEYS[position], 'status', 'slug', 'version', 'source', 'key', 'models', 'owner', 'request'))
  local is_wanted = status and (ARGV[1] == '' or has(ARGV[1], status))
    and (ARGV[2] == '' or slug == ARGV[2])
    and (ARGV[3] == '' or not owner and version == ARGV[3])
    and (ARGV[4] == '' or source == ARGV[4])
    and (ARGV[5] == '' or (key and key ~= '' and key or '-') == ARGV[5])
    and fits_model(ARGV[6], models, owner)
    and (ARGV[7] == '' or request == ARGV[7])
  if is_wanted then found[#found + 1] = position end
end
return found
