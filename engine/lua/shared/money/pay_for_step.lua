-- Charge the completed nodes of a step and reserve the credits of its claimed nodes.
-- Returns nothing, or the refusal, the unpaid node and the missing credits.
local function pay_for_step(reservation, step, terms)
  for node in string.gmatch(step.settled, '(%d+)%a') do release_node(reservation, node) end
  for node, credits, usd, model in string.gmatch(step.charges, '(%d+)=(%d+):(%d+):([^,]*)') do
    capture(reservation, node, tonumber(credits), tonumber(usd), model)
  end
  for node, credits in string.gmatch(step.reservations, '(%d+)=(%d+)') do
    local refusal, missing = reserve_node(reservation, node, tonumber(credits), terms)
    if refusal then return refusal, tonumber(node), missing end
  end
end
