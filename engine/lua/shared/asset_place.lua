-- Where an asset stands among its account's, the oldest first: the name by which it is listed.
local function asset_place(account, created, id)
  return string.format('%s|%013d.%s', account, tonumber(created), id)
end
