-- End an execution: record its outcome with further fields and values, record it with its workflow,
-- move it from the due and active executions to the unarchived ones, and notify the waiting caller,
-- if any. The message carries a small outcome, so that the caller need not read the record.
local function end_execution(now, status, statuses, spent, result, error, notifier, ...)
  local id = ARGV.execution_id
  redis.call('HSET', KEYS.execution, 'status', status, 'completed', now, 'result', result,
    'statuses', statuses, ...)
  redis.call('ZADD', KEYS.finished, now, ARGV.reference)
  redis.call('ZADD', KEYS.unarchived, now, ARGV.reference)
  redis.call('SREM', KEYS.active, id)
  redis.call('ZREM', KEYS.due, ARGV.reference)
  record_last_run(status, spent)
  if not notifier or notifier == '' then return end
  local MAX_MESSAGE_BYTES, OFFLOADED = 16384, 193
  local message = id
  if #result + #error <= MAX_MESSAGE_BYTES and string.byte(result) ~= OFFLOADED then
    message = string.format('%s\n%s\n%d\n%d\n', id, status, spent, #result) .. result .. error
  end
  redis.call('PUBLISH', notifier, message)
end
