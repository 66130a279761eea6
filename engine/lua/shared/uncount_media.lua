-- Take bytes off what an account's media take; an account that has none is not on record.
local function uncount_media(keys, account, bytes)
  if redis.call('HINCRBY', keys.stored, account, -tonumber(bytes)) <= 0 then
    redis.call('HDEL', keys.stored, account)
  end
end
