#!lua flags=allow-oom
-- Record a step of a walker atomically: settle nodes, put nodes into retry, claim nodes, and leave
-- or end the execution. Called again with the same claim and the same or an earlier step, the
-- script changes nothing.
-- The steps of one claim have consecutive numbers. A gap means that Redis has lost steps (a
-- failover, or a cut append-only file): steps that build on them are not recorded. A conflicting
-- step is recorded as such, so that the statuses in its answer count as known to the walker.
-- Charged nodes are paid for in advance by a reservation when claimed, and charged when settled.
-- The end of the execution releases the rest.
-- KEYS: 1 execution, 2 due, 3 held by this worker, 4 finished, 5 account's active executions,
--       6 wallet, 7 ledger, 8 events, 9 progress of running nodes, 10 workflow, 11 unarchived, and at
--       the end of an execution with a webhook: 12 delivery, 13 deliveries due, 14 deliveries of
--       the webhook
-- ARGV: 1 now (0: Redis's clock), 2 reference, 3 claim 'fence:token', 4 step, 5 settled '0c1f…',
--       6 retrying '3=500,…' (delay in ms), 7 claimed '4,5', 8 node records, 9 'stay'|'leave'|'hand
--       over', 10 offered '0'|'1', 11 end status or '', 12 execution id, 13 result, 14 error,
--       15 charges 'node=credits:millionths of USD:model of a used trial,…', 16 reservations of
--       claimed nodes 'node=credits,…', 17 '1' when the step names objects, 18 outputs that are
--       kept apart from the node records, '' for none
-- Returns {'ok'|'cancel'|'conflict', status, statuses, now} | {'ended', status} | {'fenced'}
--         | {'behind', status} when the record lacks an earlier step, or a node of a completed
--         execution
--         | {'over'|'insufficient', status, statuses, now, unpaid node, credits missing, balance}
--         'watched' follows an ok of a watched execution; the statuses of a repeated step's ok are
--         empty.
-- Uses: read_now, step_conflicts, move_nodes
-- A step from this number on follows any other: it ends an execution without a walk.
local LAST_STEP = 1000000000
local now = read_now(ARGV[1])
local stamp = string.format('%d', now)
local fence, number = string.match(ARGV[3], '^%d+'), tonumber(ARGV[4])
local rows = 'r' .. fence .. '.' .. ARGV[4]
local step = {settled = ARGV[5], retrying = ARGV[6], claimed = ARGV[7], rows = rows,
  charges = ARGV[15], reservations = ARGV[16]}

local head = redis.call('HMGET', KEYS[1], 'status', 'statuses', 'step' .. fence, 'holders', 'notifier',
  'lost', 'terms', 'events', 'answer_batches', 'values')
local status, statuses = head[1], head[2]
if not status then return {'fenced'} end
local watched, keys = head[8] and 'watched' or nil, head[8] and {events = KEYS[8]}
-- The last recorded step, followed after a conflict by a colon and the answered statuses.
local last, answered = string.match(head[3] or '0', '^(%d+):?(.*)$')
last = tonumber(last)
if number == last and answered ~= '' then return {'conflict', status, answered, stamp} end
if number <= last then return {'ok', status, '', stamp, watched} end
if status ~= 'processing' and status ~= 'cancel_requested' then
  redis.call('HDEL', KEYS[3], ARGV[2])
  return {'ended', status}
end
if redis.call('HGET', KEYS[3], ARGV[2]) ~= ARGV[3] then return {'fenced'} end
if number ~= last + 1 and number < LAST_STEP then return {'behind', status} end
if status == 'cancel_requested' and
    (step.claimed ~= '' or step.retrying ~= '' or (ARGV[11] ~= '' and ARGV[11] ~= 'cancelled')) then
  return {'cancel', status, statuses, stamp}
end

local codes = {string.byte(statuses, 1, -1)}
local claims, UNTOUCHED = {}, {'0', '0', '0', '0'}
local function claim_of(index)
  local claim = claims[index]
  if not claim then
    local text = redis.call('HGET', KEYS[1], 'n' .. index)
    claim = text and {string.match(text, '^(%d+):(%d+):(%d+):(%d+)$')} or UNTOUCHED
    claims[index] = claim
  end
  return claim
end
if step_conflicts(step, codes, fence, claim_of) then
  redis.call('HSET', KEYS[1], 'step' .. fence, ARGV[4] .. ':' .. statuses)
  return {'conflict', status, statuses, stamp}
end
if ARGV[11] == 'completed' then
  local _, open = string.gsub(statuses, '[prt]', '')
  local _, settled = string.gsub(step.settled, '%a', '')
  if open ~= settled then return {'behind', status} end
end

-- Move the nodes of the step; returns the fields to write, beside the statuses.
local function take_step()
  local changes = move_nodes(KEYS[1], step, codes, claim_of, fence, now)
  statuses = string.char(unpack(codes))
  local function change(field, value)
    local size = #changes
    changes[size + 1], changes[size + 2] = field, value
  end
  change('step' .. fence, ARGV[4])
  if ARGV[8] ~= '' then change(rows, ARGV[8]) end
  if (ARGV[18] or '') ~= '' then change('o' .. fence .. '.' .. ARGV[4], ARGV[18]) end
  if ARGV[17] == '1' then change('has_objects', '1') end
  return changes
end
local terms, batches, lost = head[7], head[9], head[6]
if ARGV[11] == '' and ARGV[9] == 'stay' and not (terms or watched or batches or lost) then
  local changes = take_step()
  redis.call('HSET', KEYS[1], 'statuses', statuses, 'offered', ARGV[10], unpack(changes))
  return {'ok', status, statuses, stamp}
end

local reservation, save
if terms and (step.settled ~= '' or step.claimed ~= '' or ARGV[11] ~= '') then
  -- Uses: next_month, wallet, reservation, pay_for_step
  local keys = {wallet = KEYS[6], ledger = KEYS[7]}
  reservation = open_reservation(KEYS[1], ARGV[12], open_wallet(keys, now))
  local refusal, node, missing = pay_for_step(reservation, step, terms)
  if refusal then
    return {refusal, status, statuses, stamp, node, missing, reservation.wallet.balance}
  end
  if ARGV[11] ~= '' then release(reservation) end
  save = save_reservation
end

if watched then
  -- Uses: add_event, notify_watchers, events
  if head[8] == '0' then begin_events(keys, KEYS[1], statuses) end
  step_events(keys, KEYS[1], step, codes, claim_of)
  notify_watchers(KEYS[1], ARGV[12])
end

local changes = take_step()
if batches then
  -- Uses: answer_batches
  -- A retry goes on with the answers of nodes that have failed.
  local completed = {}
  for index in string.gmatch(step.settled, '(%d+)c') do completed[#completed + 1] = index end
  local may_be_retried = ARGV[11] == '' or (ARGV[11] == 'failed' and head[10] ~= 'none')
  drop_answers(KEYS[1], batches, may_be_retried and completed or nil)
end

if save then save(reservation, terms) end
if lost then redis.call('HDEL', KEYS[1], 'lost') end
local holders = tonumber(head[4] or '0')
if ARGV[11] ~= '' then
  status = ARGV[11]
  if watched then
    -- Uses: add_event
    add_event(keys, KEYS[1], 'ended', status, 'left', statuses)
  end
  local untouched = status == 'cancelled' and 'x' or 's'
  statuses = string.gsub(string.gsub(statuses, '[rt]', 'x'), 'p', untouched)
  redis.call('HDEL', KEYS[3], ARGV[2])
  if KEYS[12] then
    -- Uses: list_delivery, add_end_delivery
    local keys = {delivery = KEYS[12], due = KEYS[13], listed = KEYS[14]}
    add_end_delivery(keys, KEYS[1], ARGV[2], ARGV[12], status, now)
  end
  if ARGV[14] ~= '' then
    local size = #changes
    changes[size + 1], changes[size + 2] = 'error', ARGV[14]
  end
  -- Uses: drop_values, note_run, end_execution
  redis.call('HSET', KEYS[1], 'status', status, 'completed', stamp, 'result', ARGV[13],
    'holders', '0', 'statuses', statuses, unpack(changes))
  drop_values(KEYS[1], KEYS[9], status, head[10])
  local keys = {due = KEYS[2], finished = KEYS[4], active = KEYS[5], workflow = KEYS[10],
    unarchived = KEYS[11]}
  local spent = reservation and reservation.spent or 0
  end_execution(keys, ARGV[2], ARGV[12], now, status, spent, ARGV[13], ARGV[14], head[5])
  return {'ok', status, statuses, stamp, watched}
end
if ARGV[9] ~= 'stay' then
  holders = holders - 1
  redis.call('HDEL', KEYS[3], ARGV[2])
  -- Uses: due_after_leaving
  local at = due_after_leaving(KEYS[1], status, statuses, ARGV[9], holders, now)
  if at then redis.call('ZADD', KEYS[2], string.format('%d', at), ARGV[2]) end
end
redis.call('HSET', KEYS[1], 'statuses', statuses, 'holders', holders, 'offered', ARGV[10],
  unpack(changes))
return {'ok', status, statuses, stamp, watched}
