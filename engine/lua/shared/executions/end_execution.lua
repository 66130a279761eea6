-- End an execution whose outcome is on record: note it with its workflow, move it from the due and
-- active ones to those that the history lacks, and notify the waiting caller, if any. The message
-- carries a small outcome, so that the caller need not read the record.
local function end_execution(keys, reference, id, now, status, spent, result, error, notifier)
  redis.call('ZADD', keys.finished, now, reference)
  redis.call('ZADD', keys.unarchived, now, reference)
  redis.call('SREM', keys.active, id)
  redis.call('ZREM', keys.due, reference)
  note_run(keys.workflow, id, status, spent)
  if not notifier or notifier == '' then return end
  local MAX_MESSAGE_BYTES, OFFLOADED = 16384, 193
  local message = id
  if #result + #error <= MAX_MESSAGE_BYTES and string.byte(result) ~= OFFLOADED then
    message = string.format('%s\n%s\n%d\n%d\n', id, status, spent, #result) .. result .. error
  end
  redis.call('PUBLISH', notifier, message)
end
