-- Return the account id of an API key's record.
-- Returns nothing for no record, or for a key that has expired.
local function owner_of_key(record, now)
  local account_id, expires = string.match(record or '', '^([^|,]+),?(%d*)|')
  if expires and expires ~= '' and now >= tonumber(expires) then return end
  return account_id
end
