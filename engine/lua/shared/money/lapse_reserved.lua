-- Let the reserve of a run that has waited lapse with the past months' allowances that it is from,
-- but for the credits of running nodes. Other runs keep it: they go on over the end of a month.
local function lapse_reserved(reservation)
  local free = reservation.reserved - reservation.running
  for _, part in ipairs(reservation.parts) do
    local bucket, credits = part[1], math.min(part[2], free)
    local is_over = string.byte(bucket) == string.byte('m')
      and lapses_at(bucket) <= reservation.wallet.now
    if is_over and credits > 0 then
      move(reservation.wallet, 'lapse', bucket, 0, -credits, unpack(reservation.entry, 1, 2))
      part[2], free = part[2] - credits, free - credits
      reservation.reserved = reservation.reserved - credits
    end
  end
end
