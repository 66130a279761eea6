-- Return whether KEYS.accounts has an admin other than the account, '' for any.
local function has_admin(account_id)
  local cursor = '0'
  repeat
    local page = redis.call('HSCAN', KEYS.accounts, cursor, 'COUNT', 1000)
    cursor = page[1]
    for position = 1, #page[2], 2 do
      local is_other = page[2][position] ~= account_id
      if is_other and string.sub(page[2][position + 1], 1, 6) == 'admin|' then return true end
    end
  until cursor == '0'
  return false
end
