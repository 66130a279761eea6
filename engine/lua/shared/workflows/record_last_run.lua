-- Record the status and the credits of an execution with its workflow, if it is the last run there.
local function record_last_run(status, credits)
  local runs = redis.call('HGET', KEYS.workflow, 'runs')
  local _, to = string.find(runs or '', ':' .. ARGV.execution_id .. ':', 1, true)
  if not to then return end
  local former = string.sub(runs, 1, to)
  redis.call('HSET', KEYS.workflow, 'runs', string.format('%s%s:%d', former, status, credits))
end
