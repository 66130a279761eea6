-- Note the status and the credits of an execution where it is the last one.
local function note_run(keys, id, status, credits)
  local runs = redis.call('HGET', keys.workflow, 'runs')
  local _, to = string.find(runs or '', ':' .. id .. ':', 1, true)
  if not to then return end
  runs = string.format('%s%s:%d', string.sub(runs, 1, to), status, credits)
  redis.call('HSET', keys.workflow, 'runs', runs)
end
