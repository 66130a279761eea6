-- Count, once, a workflow that predates the count of documents. A deleted one is skipped: its data
-- are removed later.
local function count_uncounted(keys)
  local head = redis.call('HMGET', keys.workflow, 'version', 'state', 'counted')
  if not head[1] or head[2] == 'deleted' or head[3] then return end
  local bytes = 0
  for _, field in ipairs(redis.call('HKEYS', keys.workflow)) do
    if string.match(field, '^d%d+$') then
      bytes = bytes + redis.call('HSTRLEN', keys.workflow, field)
    end
  end
  redis.call('HSET', keys.workflow, 'counted', '1')
  count_documents(keys, bytes, 1)
end
