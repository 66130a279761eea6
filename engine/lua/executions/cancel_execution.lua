#!lua flags=allow-oom
-- Cancel an execution: at once without a worker, else by a message to its walkers. A worker ends an
-- execution with provider jobs that must be cancelled.
-- KEYS: execution, due, finished, active, wallet, ledger, events, progress, workflow, unarchived,
--       delivery? (of its end, for a webhook), deliveries_due?, webhook_deliveries?,
--       account_deliveries?, run_deliveries?, run_webhook? (its own),
--       batch? (of its item), account_items?, open_batches?, batches_due?, group? (of a child),
--       parent?, root?, root_events?, open_children? (of a child or a parent), children_due?,
--       waits? (of an execution that has waited), approvals?, child_waits? (of the root),
--       waited?, waiting_items? (for a child too), first_call? (of the idempotency key)
-- ARGV: now?, reference, execution_id, cancels (channel of them), child_end? (none), tells? (asks
--       for the facts of the end)
-- Returns {'cancelled', parent to wake as `wake_parent` returns it, or '', facts of the end if they
--         are asked for} | {'cancel_requested'}
--         | {'ended', status} | {'missing'} | {'armed'} when the end needs the keys of its delivery
--         | {'waited', digest of the idempotency key or ''} when the keys of waits are missing
-- Uses: read_now, record_last_run
local now = read_now(ARGV.now)

local head = redis.call('HMGET', KEYS.execution, 'status', 'statuses', 'holders', 'notifier',
  'terms', 'events', 'answer_batches', 'must_cancel', 'values', 'webhook_url', 'waits',
  'first_call')
local status = head[1]
if not status then return {'missing'} end
if status == 'cancel_requested' then return {status} end
if status ~= 'processing' then return {'ended', status} end

local is_held = tonumber(head[3] or '0') > 0
if is_held or head[8] then
  redis.call('HSET', KEYS.execution, 'status', 'cancel_requested')
  record_last_run('cancel_requested', 0)
  redis.call('ZADD', KEYS.due, string.format('%d', is_held and now + 1000 or now), ARGV.reference)
  redis.call('PUBLISH', ARGV.cancels, ARGV.reference)
  return {'cancel_requested'}
end
if head[10] and not KEYS.delivery then return {'armed'} end
if head[11] and not KEYS.waits then return {'waited', head[12] or ''} end
local spent = 0
if head[5] then
  -- Uses: wallet, save_wallet, is_reservation_open, reservation, save_reservation
  -- Uses: release_reservation
  if is_reservation_open() then
    local reservation = open_reservation(open_wallet(now))
    release_reservation(reservation)
    spent = save_reservation(reservation, head[5])
  end
end
if head[6] then -- the execution is watched
  -- Uses: add_event, notify_watchers, begin_events
  if head[6] == '0' then begin_events(KEYS.execution, KEYS.events, head[2]) end
  add_event(KEYS.execution, KEYS.events, 'ended', 'cancelled', 'left', head[2])
  notify_watchers(KEYS.execution, ARGV.execution_id)
end
-- Uses: answer_batches, drop_answers, end_execution, drop_values
if head[7] then drop_answers(head[7]) end
if KEYS.delivery then
  -- Uses: list_delivery, add_event_delivery, add_end_delivery
  add_end_delivery('cancelled', now)
end
if KEYS.batch then
  -- Uses: count_item
  count_item(now, 'cancelled', spent)
end
local woken
if KEYS.root then
  -- Uses: report_child
  woken = report_child(now, 'cancelled')
end
if KEYS.open_children then
  -- Uses: look_at_groups
  look_at_groups(now)
end
if KEYS.waits then
  -- Uses: close_waits
  close_waits(now)
end
local statuses = string.gsub(head[2], '[prtw]', 'x')
end_execution(now, 'cancelled', statuses, spent, '', '', head[4])
if drop_values('cancelled', head[9]) then redis.call('UNLINK', KEYS.progress) end
if ARGV.tells == '' then return {'cancelled', woken or ''} end
-- Uses: ended_facts
return {'cancelled', woken or '', ended_facts(KEYS.execution, 'cancelled')}
