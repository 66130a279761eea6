-- Tell that a node waits from now on: watchers of its execution and of the root, readers of the
-- account's events, and the webhook of the run, if it asks for that. `facts` is the first line of
-- the wait on record, `values` the rest, which only a delivery keeps: until it has ended where the
-- workflow does not record all values. Others read them from the record. Nobody is told of nodes of
-- another account's workflow.
local function tell_watchers(record, stream, id, facts)
  local events, statuses = unpack(redis.call('HMGET', record, 'events', 'statuses'))
  if not events then return end
  -- Uses: add_event, begin_events, notify_watchers
  if events == '0' then begin_events(record, stream, statuses) end
  add_event(record, stream, 'waiting', ARGV.execution_id, 'node', ARGV.node, 'facts', facts)
  notify_watchers(record, id)
end

local function tell_wait(now, facts, values)
  local run = KEYS.root or KEYS.execution
  local owner, policy = unpack(redis.call('HMGET', run, 'owner', 'values'))
  if owner then return end
  local name = ARGV.execution_id .. '/' .. ARGV.node
  tell_watchers(KEYS.execution, KEYS.events, ARGV.execution_id, facts)
  if KEYS.root then
    tell_watchers(KEYS.root, KEYS.root_events, string.match(ARGV.reference, '[^/]+$'), facts)
  end
  -- Uses: add_change
  add_change(now, 'waiting:' .. name)
  if KEYS.delivery then
    -- Uses: list_delivery, add_event_delivery
    add_event_delivery(run, KEYS.delivery, 'execution.waiting', now, 'waits', name,
      'wait', facts .. '\n' .. values, 'drops_values', policy and '1' or '0',
      'spent', redis.call('HGET', run, 'spent') or '0')
  end
end
