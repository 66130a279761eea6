-- Charge the completed nodes of a step, reserve the credits of its claimed nodes, and release the
-- rest at the end of the execution.
-- Nothing is charged for a child whose root has ended.
-- Returns the credits that the execution has spent; or nil, the refusal, the unpaid node, the
-- missing credits and the balance.
local function pay_for_step(terms, now)
  -- Uses: is_reservation_open
  if not is_reservation_open() then
    return tonumber(redis.call('HGET', KEYS.execution, 'spent') or '0')
  end
  local reservation = open_reservation(open_wallet(now))
  for node in string.gmatch(ARGV.settled, '(%d+)%a') do release_node(reservation, node) end
  for node, credits, usd, model in string.gmatch(ARGV.charges, '(%d+)=(%d+):(%d+):([^,]*)') do
    capture(reservation, node, tonumber(credits), tonumber(usd), model)
  end
  if reservation.has_waited and ARGV.reservations ~= '' then
    -- Uses: lapse_reserved
    lapse_reserved(reservation)
  end
  for node, credits in string.gmatch(ARGV.reservations, '(%d+)=(%d+)') do
    local refusal, missing = reserve_node(reservation, node, tonumber(credits), terms)
    if refusal then return nil, refusal, tonumber(node), missing, reservation.wallet.balance end
  end
  if ARGV.end_status ~= '' then release_reservation(reservation) end
  return save_reservation(reservation, terms)
end
