-- Return the limit of an account's tier from the argument `limits`, pairs of tier and limit.
-- Returns nothing without a limit, or without an account.
local function tier_limit(account)
  local tier = string.match(account or '', '^([^|]+)|')
  for position = FIRST.limits, LAST.limits, 2 do
    if ARGV[position] == tier then return tonumber(ARGV[position + 1]) end
  end
end
