-- Subtract bytes from an account's media; an account without media has no field.
local function uncount_media(keys, account, bytes)
  if redis.call('HINCRBY', keys.stored, account, -tonumber(bytes)) <= 0 then
    redis.call('HDEL', keys.stored, account)
  end
end
