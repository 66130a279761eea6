-- Return the name of an asset in the sorted list of assets: by account, then by creation.
local function asset_place(account, created, id)
  return string.format('%s|%013d.%s', account, tonumber(created), id)
end
