-- Release the unspent credits of an ended execution to their buckets, unless those have lapsed, and
-- the trials of models without a completed node. A child releases what its running nodes have
-- reserved, for its root to use.
local function release_reservation(reservation)
  if KEYS.root then
    for _, credits in pairs(reservation.by_node) do
      reservation.running = reservation.running - credits
    end
    reservation.by_node = {}
    return
  end
  local wallet = reservation.wallet
  for bucket, credits in pairs(reservation.captured or {}) do
    move(wallet, 'capture', bucket, 0, -credits, 'execution', ARGV.execution_id)
    reservation.captured[bucket] = nil
  end
  for _, part in ipairs(reservation.parts) do
    local bucket, credits = part[1], part[2]
    local is_moved = string.sub(bucket, 1, 1) == 'm' and not wallet.left[bucket]
      and lapses_at(bucket) > wallet.now
    if is_moved then bucket = 'm' .. wallet.facts.ends end -- the tier has changed meanwhile
    if lapses_at(bucket) > wallet.now then
      move(wallet, 'release', bucket, credits, -credits, 'execution', ARGV.execution_id)
    else
      move(wallet, 'lapse', bucket, 0, -credits, 'execution', ARGV.execution_id)
    end
  end
  for model in pairs(reservation.trials) do
    local used = string.match(wallet.facts['g:' .. model] or '', '^r(%d+)$')
    if used then wallet.facts['g:' .. model] = 'r' .. math.max(0, used - 1) end
  end
  reservation.parts, reservation.by_node, reservation.trials = {}, {}, {}
end
