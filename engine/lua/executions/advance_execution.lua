#!lua flags=allow-oom
-- Record a step of a walker atomically: settle nodes, put nodes into retry, claim nodes, and stay
-- with the execution, leave it or end it. Called again with the same claim and the same or an
-- earlier step, the script changes nothing. A conflicting step is recorded as such, so that the
-- statuses in its answer count as known to the walker.
-- Charged nodes are paid for in advance by a reservation when claimed, and charged when settled.
-- The end of the execution releases the rest. A child whose root ends is cancelled; its end is
-- counted in its group, and wakes its parent when that one need not wait any more.
-- KEYS: execution, due, held (by this worker), finished, active, wallet, ledger, events, progress,
--       workflow, unarchived, delivery? (of its end, for a webhook), deliveries_due?,
--       webhook_deliveries?, account_deliveries?, run_deliveries?, run_webhook? (its own),
--       batch? (of its item), account_items?, open_batches?, batches_due?, group? (of a child),
--       parent?, root?, root_events?, open_children? (where a child or a parent ends),
--       children_due?, waits? (where an execution leaves or ends that has waited), approvals?,
--       child_waits? (of the root), waited?, waiting_items? (for a child too), first_call? (of the
--       idempotency key), canary_counts?, open_canaries?, canaries_due? (all where a run ends that
--       counts for a canary), node_deliveries... (of settled nodes, for a webhook that asks for
--       them)
-- ARGV: now?, reference, execution_id, claim ('fence:token'), step (its number), settled?
--       ('0c1f…'), retrying? ('3=500,4=w1000,…', pauses in milliseconds, and the times until
--       which nodes wait), claimed? ('4,5'), rows? (of nodes), outputs? (if not in the rows),
--       has_objects? ('1' when the step names some),
--       charges? ('node=credits:millionths of USD:model of a used trial,…'), reservations? (of
--       claimed nodes, 'node=credits,…'), leaves? ('1' to leave), shares_work? ('1' when other
--       workers may help, or go on at once after leaving), end_status?, result?, error?,
--       child_end? (of a child: bytes of its values, ':1:' if its failure ends its root or ':0:',
--       and its plain result), tells? (asks for the facts of the end), is_fault? ('1'
--       when the end counts as a failure for a canary), node_facts... (one for each of the node
--       deliveries)
-- Returns {'ok'|'cancel'|'conflict', status, statuses, now} | {'ended', status} | {'fenced'}
--         | {'closed', status, statuses, now} for charges of a child whose root has ended
--         | {'behind', status} when the record lacks an earlier step, or a node of a completed
--         execution | {'armed'} when the end needs the keys of its delivery
--         | {'waited', digest of the idempotency key or ''} when the keys of waits are missing
--         | {'over'|'insufficient', status, statuses, now, unpaid node, credits missing, balance}
--         'watched' follows an ok of a watched execution; the statuses of a repeated step's ok are
--         empty. A sixth word follows the end of a child that wakes its parent, as `wake_parent`
--         returns it, and is 'woken' when a node was to wait whose wait is over. The facts of the
--         end follow as a list.
-- Uses: read_now, refuse_step, claim_of, refuse_moves, move_nodes
local now = read_now(ARGV.now)
local stamp, fence = string.format('%d', now), string.match(ARGV.claim, '^%d+')
local rows_field = 'r' .. fence .. '.' .. ARGV.step

local head = redis.call('HMGET', KEYS.execution, 'status', 'statuses', 'step' .. fence, 'events',
  'holders', 'notifier', 'lost', 'terms', 'answer_batches', 'values', 'webhook_url', 'waits')
if KEYS.root and head[1] == 'processing' then
  -- Uses: is_root_alive
  if not is_root_alive() then head[1] = 'cancel_requested' end
end
local refusal = refuse_step(head, stamp)
if refusal then return refusal end
local status, statuses, holders, lost = head[1], head[2], tonumber(head[5] or '0'), head[7]
local watched, terms, batches = head[4] and 'watched' or nil, head[8], head[9]
local leaves, is_end = ARGV.leaves == '1', ARGV.end_status ~= ''
local tells_nodes = LAST.node_deliveries >= FIRST.node_deliveries
local codes, fields, woken = {string.byte(statuses, 1, -1)}, nil, nil
refusal = refuse_moves(status, statuses, codes, fence, stamp)
if refusal then return refusal end

if not (is_end or leaves or terms or watched or batches or lost or tells_nodes or KEYS.root) then
  statuses, fields, woken = move_nodes(codes, fence, now, rows_field)
  redis.call('HSET', KEYS.execution, 'statuses', statuses, 'shares_work', ARGV.shares_work,
    unpack(fields))
  return {'ok', status, statuses, stamp, woken and '', woken}
end

local spent = 0
if terms and (ARGV.settled ~= '' or ARGV.claimed ~= '' or is_end) then
  -- Uses: wallet, refresh_wallet, reserve, save_wallet
  -- Uses: reservation, save_reservation, reserve_node, release_reservation, pay_for_step
  local unpaid, node, missing, balance
  spent, unpaid, node, missing, balance = pay_for_step(terms, now)
  if unpaid then return {unpaid, status, statuses, stamp, node, missing, balance} end
end
if watched then
  -- Uses: add_event, notify_watchers, begin_events, step_events
  if head[4] == '0' then begin_events(KEYS.execution, KEYS.events, statuses) end
  step_events(codes, rows_field)
  notify_watchers(KEYS.execution, ARGV.execution_id)
end
statuses, fields, woken = move_nodes(codes, fence, now, rows_field)
if batches then
  -- Uses: answer_batches, drop_answers
  -- A retry goes on with the answers of nodes that have failed.
  local may_be_retried = not is_end or (ARGV.end_status == 'failed' and head[10] ~= 'none')
  drop_answers(batches, may_be_retried and ARGV.settled or nil)
end
if lost then redis.call('HDEL', KEYS.execution, 'lost') end
if tells_nodes then
  -- Uses: list_delivery, add_event_delivery, add_node_deliveries
  add_node_deliveries(now, spent)
end
if is_end then
  -- Uses: end_walk
  return end_walk(now, statuses, spent, head[6], head[10], watched, fields)
end
if leaves then
  -- Uses: leave_execution
  holders = leave_execution(status, statuses, holders, now)
end
if KEYS.root then
  -- Uses: count_running, waits_alone
  count_running(not (leaves and holders == 0 and waits_alone(statuses)), now)
end
redis.call('HSET', KEYS.execution, 'statuses', statuses, 'holders', holders,
  'shares_work', leaves and '' or ARGV.shares_work, unpack(fields))
if leaves and head[12] and ARGV.shares_work ~= '1' then
  -- Uses: begin_only_waiting
  begin_only_waiting(KEYS.execution, now)
end
return {'ok', status, statuses, stamp, watched or woken and '', woken}
