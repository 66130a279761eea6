-- Credits of the nodes of a reservation: reserved while a node runs, and charged once it is
-- completed.
local function release_node(reservation, node)
  reservation.running = reservation.running - (reservation.by_node[node] or 0)
  reservation.by_node[node] = nil
end

-- Charge a completed node, at most the reserved credits.
local function capture(reservation, node, credits, usd, model)
  reservation.usd = reservation.usd + usd
  reservation.trials[model] = nil
  local left = math.min(credits, reservation.reserved)
  reservation.spent, reservation.reserved = reservation.spent + left, reservation.reserved - left
  for _, part in ipairs(reservation.parts) do
    local taken = math.min(left, part[2])
    if taken > 0 then
      part[2], left = part[2] - taken, left - taken
      local captured, bucket = reservation.captured, part[1]
      if captured then
        captured[bucket] = (captured[bucket] or 0) + taken
      else
        local entry = {unpack(reservation.entry)}
        entry[#entry + 1], entry[#entry + 2] = 'node', node
        move(reservation.wallet, 'capture', bucket, 0, -taken, unpack(entry))
      end
    end
  end
end

-- Reserve the credits of a node that is about to run.
-- Returns nothing, or the refusal: 'over' the cap, or 'insufficient' and the missing credits.
local function reserve_node(reservation, node, credits, terms)
  release_node(reservation, node)
  if reservation.spent + reservation.running + credits > reservation.cap then return 'over', 0 end
  local missing = reservation.running + credits - reservation.reserved
  if missing > 0 then
    -- The tier may have changed since the acceptance: the wallet has its current terms.
    refresh_wallet(reservation.wallet, reservation.wallet.facts.terms or terms)
    if reservation.wallet.balance < missing then return 'insufficient', missing end
    for _, part in ipairs(reserve(reservation.wallet, missing, unpack(reservation.entry, 1, 2))) do
      reservation.parts[#reservation.parts + 1] = part
    end
    reservation.reserved = reservation.reserved + missing
  end
  reservation.by_node[node] = credits
  reservation.running = reservation.running + credits
end
