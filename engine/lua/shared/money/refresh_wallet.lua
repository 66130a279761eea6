-- Return the beginning of the next calendar month (UTC) in milliseconds. The calculation follows
-- Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms".
local function next_month(now)
  local floor = math.floor
  local days = floor(now / 86400000) + 719468
  local era = floor(days / 146097)
  local day = days - era * 146097
  local year = floor((day - floor(day / 1460) + floor(day / 36524) - floor(day / 146096)) / 365)
  day = day - (365 * year + floor(year / 4) - floor(year / 100))
  year = year + era * 400
  local month = floor((5 * day + 2) / 153) + 1 -- counted from March
  if month == 12 then year, month = year + 1, 0 end
  era = floor(year / 400)
  year = year - era * 400
  day = year * 365 + floor(year / 4) - floor(year / 100) + floor((153 * month + 2) / 5)
  return (era * 146097 + day - 719468) * 86400000
end

-- Grant a due allowance, and adjust it to a changed tier: the amount granted in this month counts,
-- less the amount taken back. `terms` are 'allowance:once:milliseconds to keep the ledger', and end
-- with ':1' where there is no history; once is 1 for a single grant.
local function refresh_wallet(wallet, terms)
  local allowance, once = string.match(terms, '^(%d+):([01])')
  allowance, once = tonumber(allowance), once == '1'
  local facts, given, ends = wallet.facts, tonumber(wallet.facts.given), tonumber(wallet.facts.ends)
  wallet.has_changed = facts.terms ~= terms
  facts.terms = terms
  local is_over = ends and ends > 0 and ends <= wallet.now
  if given and not is_over and given == allowance and once == (ends == 0) then return end
  local month_ends = once and 0 or next_month(wallet.now)
  if not given or (is_over and not once) then
    given, ends = allowance, month_ends
    move(wallet, 'allowance', 'm' .. string.format('%d', ends), allowance, 0)
    facts.refreshed = string.format('%d', wallet.now)
  else
    local old = 'm' .. string.format('%d', ends)
    local left = wallet.left[old] or 0
    if once or ends == 0 then ends = month_ends end
    local new = 'm' .. string.format('%d', ends)
    local fitted = math.max(0, left + allowance - given)
    given = is_over and allowance or given + fitted - left
    if old ~= new then
      move(wallet, 'tier', old, -left, 0)
      left = 0
      wallet.left[old] = nil
      wallet.removed[#wallet.removed + 1] = 'b:' .. old
    end
    move(wallet, 'tier', new, fitted - left, 0)
  end
  given, ends = string.format('%d', given), string.format('%d', ends)
  wallet.has_changed = wallet.has_changed or facts.given ~= given or facts.ends ~= ends
  facts.given, facts.ends = given, ends
end
