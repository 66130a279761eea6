-- Reserve credits in spending order and return {bucket, credits} pairs. The caller has checked the
-- balance.
local function reserve(wallet, credits, ...)
  local parts = {}
  for _, bucket in ipairs(buckets_of(wallet)) do
    local part = math.min(credits, wallet.left[bucket])
    if part > 0 then
      move(wallet, 'reserve', bucket, -part, part, ...)
      parts[#parts + 1] = {bucket, part}
      credits = credits - part
    end
  end
  return parts
end
