-- Note the status and the credits of an execution where it is the last one.
local function note_run(workflow, id, status, credits)
  local runs = redis.call('HGET', workflow, 'runs')
  local _, to = string.find(runs or '', ':' .. id .. ':', 1, true)
  if not to then return end
  redis.call('HSET', workflow, 'runs', string.format('%s%s:%d', string.sub(runs, 1, to), status, credits))
end
