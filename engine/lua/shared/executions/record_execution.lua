-- Write the record of an accepted execution, and schedule its hint. The run of a version is counted
-- and recorded: documents of versions that never ran are removed without a search for executions.
-- `version` has the fields of the workflow that `refuse_execution` returns.
local function record_execution(now, version)
  local MOST_AT_ONCE = 1000
  local last = math.min(FIRST.fields + MOST_AT_ONCE - 1, LAST.fields)
  redis.call('HSET', KEYS.execution, 'status', 'processing', 'version', ARGV.version, 'statuses',
    ARGV.statuses, 'created', now, unpack(ARGV, FIRST.fields, last))
  for first = last + 1, LAST.fields, MOST_AT_ONCE do
    last = math.min(first + MOST_AT_ONCE - 1, LAST.fields)
    redis.call('HSET', KEYS.execution, unpack(ARGV, first, last))
  end
  redis.call('ZADD', KEYS.due, now + ARGV.resend_ms, ARGV.reference)
  redis.call('SADD', KEYS.active, ARGV.id)
  if version then
    if ARGV.version_kind ~= 'aside' then
      -- Uses: count_run
      redis.call('HSET', KEYS.workflow, 'runs', count_run(version[4], now, ARGV.id))
    end
    if version[1] ~= ARGV.version then
      -- A review that began before spares a version that is not live.
      local begun = redis.call('HINCRBY', KEYS.workflow, 'begun', 1)
      redis.call('HSET', KEYS.workflow, 'r' .. ARGV.version, 'b' .. begun)
    elseif not version[3] then
      redis.call('HSET', KEYS.workflow, 'r' .. ARGV.version, '1')
    end
  end
  if KEYS.run_webhook then
    -- Uses: open_run_webhook
    open_run_webhook(now)
  end
  if KEYS.delivery then
    -- Uses: list_delivery, add_event_delivery
    add_event_delivery(KEYS.execution, KEYS.delivery, 'execution.started', now)
  end
  if KEYS.failed then redis.call('HSET', KEYS.failed, 'retry', ARGV.id) end
  if KEYS.first_call then
    redis.call('HSET', KEYS.first_call, 'fingerprint', ARGV.body_fingerprint, 'execution', ARGV.id)
    if ARGV.answer ~= '' then redis.call('HSET', KEYS.first_call, 'answer', ARGV.answer) end
    redis.call('PEXPIRE', KEYS.first_call, ARGV.first_call_ms)
  end
end
