-- Add an entry to the history of an alias, KEYS.alias_history, and remove the oldest one beyond
-- those that are kept. `by` is 'user' or 'system'; `former` and `current` are {version, canary?},
-- nil for an alias that is not there.
local MOST_HISTORY = 200

local function state_of(alias)
  if not alias then return cjson.null end
  return {version = alias.version, canary = alias.canary or cjson.null}
end

local function add_history(name, now, by, reason, former, current)
  local entry = cjson.encode({at = now, by = by, reason = reason,
    change = {from = state_of(former), to = state_of(current)}})
  local number = redis.call('HINCRBY', KEYS.alias_history, name .. '.last', 1)
  local oldest = string.format('%s.%d', name, number - MOST_HISTORY)
  local bytes = #entry - redis.call('HSTRLEN', KEYS.alias_history, oldest)
  redis.call('HSET', KEYS.alias_history, string.format('%s.%d', name, number), entry)
  redis.call('HDEL', KEYS.alias_history, oldest)
  redis.call('HINCRBY', KEYS.alias_history, 'bytes', bytes)
  count_documents(bytes, 0)
end
