-- Subtract bytes from an account's media in KEYS.media_bytes; an account without media has no
-- field.
local function uncount_media(account, bytes)
  if redis.call('HINCRBY', KEYS.media_bytes, account, -tonumber(bytes)) <= 0 then
    redis.call('HDEL', KEYS.media_bytes, account)
  end
end
