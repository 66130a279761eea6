-- End an execution: record its outcome, remove it from the due and active ones, and notify waiting
-- callers. The message carries a small outcome, so that they need not read the record.
local function end_execution(keys, named, outcome, now, fields)
  local stamp = string.format('%d', now)
  redis.call('HSET', keys.execution, 'status', outcome.status, 'completed', stamp,
    'result', outcome.result, 'error', outcome.error, 'holders', '0', 'statuses', outcome.statuses,
    unpack(fields))
  redis.call('ZADD', keys.finished, stamp, named.reference)
  redis.call('SREM', keys.active, named.id)
  redis.call('ZREM', keys.due, named.reference)
  if not outcome.bell or outcome.bell == '' then return end
  local MOST_TOLD, ASIDE = 16384, 193
  local told, result, error = named.id, outcome.result, outcome.error
  if #result + #error <= MOST_TOLD and string.byte(result) ~= ASIDE then
    local spent = string.format('%d', outcome.spent)
    told = table.concat({told, outcome.status, spent, #result, result .. error}, '\n')
  end
  redis.call('PUBLISH', outcome.bell, told)
end
