-- Return the limit of an account's tier; `first` is the position of pairs of tier and limit in
-- ARGV.
-- Returns nothing without a limit, or without an account.
local function tier_limit(account, first)
  local tier = string.match(account or '', '^([^|]+)|')
  for position = first, #ARGV, 2 do
    if ARGV[position] == tier then return tonumber(ARGV[position + 1]) end
  end
end
