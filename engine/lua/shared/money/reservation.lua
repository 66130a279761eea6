-- Credit reservation of one execution, written by `save_reservation` only. Fields on record:
-- `reserved` 'bucket=credits,…' not yet spent, `reserved_by_node` 'node=credits,…' of running
-- nodes, `spent`, `usd` in millionths, `cap`, `trials` of models without a completed node. A run of
-- another account's workflow, whose nodes its caller does not see, is charged at its end at once:
-- until then `captured` 'bucket=credits,…' has what its nodes have cost, which stays reserved.
--
-- A child is paid for by its root: `children_reserved` there has the credits of all running nodes
-- of children. The child's own record has those of its nodes, and `spent` and `usd` of its own.
local function parse_credits(text)
  local credits_by_name, sum = {}, 0
  for name, credits in string.gmatch(text or '', '([^=,]+)=(%d+)') do
    credits_by_name[name] = tonumber(credits)
    sum = sum + credits
  end
  return credits_by_name, sum
end

local function open_reservation(wallet)
  local record = KEYS.root or KEYS.execution
  local head = redis.call('HMGET', record, 'reserved', 'reserved_by_node',
    'spent', 'usd', 'cap', 'trials', 'owner', 'captured', 'children_reserved', 'waited')
  local reservation = {wallet = wallet, parts = {}, reserved = 0, spent = tonumber(head[3] or '0'),
    usd = tonumber(head[4] or '0'), cap = tonumber(head[5] or 'inf') or math.huge, trials = {},
    of_children = tonumber(head[9] or '0'), entry = {'execution', ARGV.execution_id},
    has_waited = head[10]}
  for bucket, credits in string.gmatch(head[1] or '', '([^=,]+)=(%d+)') do
    reservation.parts[#reservation.parts + 1] = {bucket, tonumber(credits)}
    reservation.reserved = reservation.reserved + credits
  end
  reservation.by_node, reservation.running = parse_credits(head[2])
  reservation.running = reservation.running + reservation.of_children
  for model in string.gmatch(head[6] or '', '[^,]+') do reservation.trials[model] = true end
  if head[7] then reservation.captured = parse_credits(head[8]) end
  if KEYS.root then
    local own = redis.call('HMGET', KEYS.execution, 'reserved_by_node', 'root', 'spent', 'usd')
    reservation.by_node = parse_credits(own[1])
    reservation.entry = {'execution', own[2], 'child', ARGV.execution_id}
    reservation.before = {running = reservation.running, spent = reservation.spent,
      usd = reservation.usd}
    reservation.own = {spent = tonumber(own[3] or '0'), usd = tonumber(own[4] or '0')}
  end
  return reservation
end
