-- End an execution: record its outcome, there and with its workflow, move it from the due and active
-- ones to those that the history lacks, and notify waiting callers. The message carries a small
-- outcome, so that they need not read the record.
local function end_execution(keys, execution, outcome, now, fields)
  local stamp = string.format('%d', now)
  redis.call('HSET', keys.execution, 'status', outcome.status, 'completed', stamp,
    'result', outcome.result, 'error', outcome.error, 'holders', '0', 'statuses', outcome.statuses,
    unpack(fields))
  drop_values(keys.execution, keys, outcome.status, outcome.kept)
  redis.call('ZADD', keys.finished, stamp, execution.reference)
  redis.call('ZADD', keys.unarchived, stamp, execution.reference)
  redis.call('SREM', keys.active, execution.id)
  redis.call('ZREM', keys.due, execution.reference)
  note_run(keys, execution.id, outcome.status, outcome.spent)
  if not outcome.notifier or outcome.notifier == '' then return end
  local MAX_MESSAGE_BYTES, OFFLOADED = 16384, 193
  local message, result, error = execution.id, outcome.result, outcome.error
  if #result + #error <= MAX_MESSAGE_BYTES and string.byte(result) ~= OFFLOADED then
    local spent = string.format('%d', outcome.spent)
    message = table.concat({message, outcome.status, spent, #result, result .. error}, '\n')
  end
  redis.call('PUBLISH', outcome.notifier, message)
end
