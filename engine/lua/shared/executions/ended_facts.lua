-- Return the facts of an ended execution, in the order of the fields of `EndedExecution`; none for
-- an execution whose end nobody asks for. `ARGV.tells` asks for those of 'failed' executions, or of
-- these and 'sampled' ones, whose trace is recorded, or of 'all'.
local function ended_facts(record, status)
  if ARGV.tells ~= 'all' and status ~= 'failed' then
    if ARGV.tells == 'failed' then return {} end
    local flags = string.match(redis.call('HGET', record, 'trace') or '', '%x$')
    if tonumber(flags or '0', 16) % 2 == 0 then return {} end
  end
  return redis.call('HMGET', record, 'status', 'slug', 'version', 'source', 'created', 'started',
    'completed', 'request', 'trace', 'key', 'spent', 'error', 'models', 'batch', 'item', 'trigger',
    'occurrence', 'parent', 'parent_node_id', 'child', 'root', 'owner', 'retry_of')
end
