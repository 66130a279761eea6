-- End all aliases of a workflow, with their history.
local function end_aliases()
  local bytes = tonumber(redis.call('HGET', KEYS.alias_history, 'bytes') or '0')
  if bytes ~= 0 then count_documents(-bytes, 0) end
  redis.call('DEL', KEYS.alias_history)
  local revision = redis.call('HGET', KEYS.workflow, 'aliases_revision')
  if not revision then return end
  redis.call('HDEL', KEYS.workflow, 'aliases')
  redis.call('HINCRBY', KEYS.workflow, 'aliases_revision', 1)
end
