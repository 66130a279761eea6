#!lua flags=allow-oom
-- Cancel an execution: at once without a worker, else by a message to its walkers. A worker ends an
-- execution with provider jobs that must be cancelled.
-- KEYS: 1 execution, 2 due, 3 finished, 4 account's active executions, 5 wallet, 6 ledger,
--       7 events, 8 progress of running nodes, 9 workflow, 10 unarchived, and for an execution with
--       a webhook: 11 delivery, 12 deliveries due, 13 deliveries of the webhook
-- ARGV: 1 now (0: Redis's clock), 2 reference, 3 execution id, 4 channel of cancels
-- Returns {'cancelled'|'cancel_requested'} | {'ended', status} | {'missing'}
-- Uses: read_now, next_month, wallet, reservation, list_delivery, add_end_delivery, add_event, notify_watchers, events, answer_batches, drop_values, note_run, end_execution
local now = read_now(ARGV[1])

local head = redis.call('HMGET', KEYS[1], 'status', 'statuses', 'holders', 'notifier', 'terms',
  'events', 'answer_batches', 'begun', 'values')
local status = head[1]
if not status then return {'missing'} end
if status == 'cancel_requested' then return {status} end
if status ~= 'processing' then return {'ended', status} end

local is_held = tonumber(head[3] or '0') > 0
if is_held or head[8] then
  redis.call('HSET', KEYS[1], 'status', 'cancel_requested')
  note_run(KEYS[9], ARGV[3], 'cancel_requested', 0)
  redis.call('ZADD', KEYS[2], string.format('%d', is_held and now + 1000 or now), ARGV[2])
  redis.call('PUBLISH', ARGV[4], ARGV[2])
  return {'cancel_requested'}
end
local reservation
if head[5] then
  local keys = {wallet = KEYS[5], ledger = KEYS[6]}
  reservation = open_reservation(KEYS[1], ARGV[3], open_wallet(keys, now))
  release(reservation)
  save_reservation(reservation, head[5])
end
if head[6] then -- the execution is watched
  local keys = {events = KEYS[7]}
  if head[6] == '0' then begin_events(keys, KEYS[1], head[2]) end
  add_event(keys, KEYS[1], 'ended', 'cancelled', 'left', head[2])
  notify_watchers(KEYS[1], ARGV[3])
end
if head[7] then drop_answers(KEYS[1], head[7]) end
local statuses = string.gsub(head[2], '[prt]', 'x')
if KEYS[11] then
  local keys = {delivery = KEYS[11], due = KEYS[12], listed = KEYS[13]}
  add_end_delivery(keys, KEYS[1], ARGV[2], ARGV[3], 'cancelled', now)
end
redis.call('HSET', KEYS[1], 'status', 'cancelled', 'completed', string.format('%d', now),
  'result', '', 'statuses', statuses)
drop_values(KEYS[1], KEYS[8], 'cancelled', head[9])
local keys = {due = KEYS[2], finished = KEYS[3], active = KEYS[4], workflow = KEYS[9],
  unarchived = KEYS[10]}
local spent = reservation and reservation.spent or 0
end_execution(keys, ARGV[2], ARGV[3], now, 'cancelled', spent, '', '', head[4])
return {'cancelled'}
