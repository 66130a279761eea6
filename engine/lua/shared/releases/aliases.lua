-- Aliases of a workflow, on its record KEYS.workflow: `aliases` is their map as JSON, name →
-- {version, canary?, updatedAt}, and `aliases_revision` the number of its changes, with which runs
-- compare. `live` is an entry only while it has a canary. All of it is ours: small numbers and ids,
-- which cjson does not change.

-- Return the canary of an argument; nothing for an empty one.
local function parse_canary(text)
  return text ~= '' and cjson.decode(text) or nil
end

-- Return the aliases by name.
local function read_aliases()
  local stored = redis.call('HGET', KEYS.workflow, 'aliases')
  return stored and cjson.decode(stored) or {}
end

-- Write the aliases, and return their JSON and their revision.
local function write_aliases(aliases)
  local stored = next(aliases) and cjson.encode(aliases) or ''
  if stored == '' then
    redis.call('HDEL', KEYS.workflow, 'aliases')
  else
    redis.call('HSET', KEYS.workflow, 'aliases', stored)
  end
  return stored, redis.call('HINCRBY', KEYS.workflow, 'aliases_revision', 1)
end
