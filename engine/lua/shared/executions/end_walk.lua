-- End an execution with its walker's last step, whose fields and values are `fields`. `policy` is
-- the field `values` of the record.
-- Returns the answer of the script, with the facts of the end at its end if they are asked for.
local function end_walk(now, statuses, spent, notifier, policy, watched, fields)
  local status = ARGV.end_status
  if watched then
    -- Uses: add_event
    add_event(KEYS.execution, KEYS.events, 'ended', status, 'left', statuses)
  end
  local untouched = status == 'cancelled' and 'x' or 's'
  statuses = string.gsub(string.gsub(statuses, '[rtw]', 'x'), 'p', untouched)
  redis.call('HDEL', KEYS.held, ARGV.reference)
  if KEYS.delivery then
    -- Uses: list_delivery, add_event_delivery, add_end_delivery
    add_end_delivery(status, now)
  end
  if KEYS.batch then
    -- Uses: count_item
    count_item(now, status, spent)
  end
  local woken
  if KEYS.root then
    -- Uses: report_child
    woken = report_child(now, status, ARGV.error)
  end
  -- Groups of a completed execution are done, or are cancelled and looked at already.
  if KEYS.open_children and status ~= 'completed' then
    -- Uses: look_at_groups
    look_at_groups(now)
  end
  if ARGV.error ~= '' then
    fields[#fields + 1] = 'error'
    fields[#fields + 1] = ARGV.error
  end
  if KEYS.waits then
    -- Uses: close_waits
    close_waits(now)
  end
  if KEYS.canary_counts and status ~= 'cancelled' then
    local release, started = unpack(redis.call('HMGET', KEYS.execution, 'release', 'started'))
    -- Uses: count_release
    if release then count_release(now, release, ARGV.is_fault == '1', started) end
  end
  -- Uses: record_last_run, end_execution
  end_execution(now, status, statuses, spent, ARGV.result, ARGV.error, notifier, 'holders', '0',
    unpack(fields))
  if policy then
    -- Uses: drop_values
    if drop_values(status, policy) then redis.call('UNLINK', KEYS.progress) end
  end
  local answer = {'ok', status, statuses, string.format('%d', now), watched or woken and '', woken}
  if ARGV.tells ~= '' then
    -- Uses: ended_facts
    answer[#answer + 1] = ended_facts(KEYS.execution, status)
  end
  return answer
end
