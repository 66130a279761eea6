-- Return the answer to a step that is not recorded; nothing for one that may be. `head` are the
-- first fields of the record that the script of steps reads.
-- The steps of one claim have consecutive numbers. A gap means that Redis has lost steps (a
-- failover, or a cut append-only file): steps that build on them are not recorded.
local function refuse_step(head, stamp)
  -- A step from this number on follows any other: it ends an execution without a walk.
  local LAST_STEP = 1000000000
  local status, statuses, number = head[1], head[2], tonumber(ARGV.step)
  if not status then return {'fenced'} end
  -- The last recorded step, followed after a conflict by a colon and the answered statuses.
  local last, answered = string.match(head[3] or '0', '^(%d+):?(.*)$')
  last = tonumber(last)
  if number == last and answered ~= '' then return {'conflict', status, answered, stamp} end
  if number <= last then
    local answer = {'ok', status, '', stamp, head[4] and 'watched' or nil}
    if ARGV.tells ~= '' and ARGV.end_status ~= '' then
      -- Uses: ended_facts
      answer[#answer + 1] = ended_facts(KEYS.execution, status)
    end
    return answer
  end
  if status ~= 'processing' and status ~= 'cancel_requested' then
    redis.call('HDEL', KEYS.held, ARGV.reference)
    return {'ended', status}
  end
  if redis.call('HGET', KEYS.held, ARGV.reference) ~= ARGV.claim then return {'fenced'} end
  if number ~= last + 1 and number < LAST_STEP then return {'behind', status} end
  local is_end_of_cancel = ARGV.end_status == '' or ARGV.end_status == 'cancelled'
  if status == 'cancel_requested' and
      (ARGV.claimed ~= '' or ARGV.retrying ~= '' or not is_end_of_cancel) then
    return {'cancel', status, statuses, stamp}
  end
  local is_end = ARGV.end_status ~= ''
  -- The webhook was added after the walker's claim, when the caller's wait was over.
  if is_end and head[11] and not KEYS.delivery then return {'armed'} end
  if head[12] and (is_end or ARGV.leaves == '1') and not KEYS.waits then
    return {'waited', redis.call('HGET', KEYS.execution, 'first_call') or ''}
  end
end
