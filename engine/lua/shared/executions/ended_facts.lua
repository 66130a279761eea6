-- Return the facts of an ended execution, in the order of the fields of `EndedExecution`. With
-- `ARGV.tells` 'sampled', an execution that has neither failed nor a sampled trace has none.
local function ended_facts(record)
  if ARGV.tells == 'sampled' then
    local status, trace = unpack(redis.call('HMGET', record, 'status', 'trace'))
    if status ~= 'failed' and not string.match(trace or '', '[13579bdf]$') then return {} end
  end
  return redis.call('HMGET', record, 'status', 'slug', 'version', 'source', 'created', 'started',
    'completed', 'request', 'trace', 'key', 'spent', 'error', 'models', 'batch', 'item', 'trigger',
    'occurrence', 'parent', 'parent_node_id', 'child', 'root', 'owner', 'retry_of')
end
