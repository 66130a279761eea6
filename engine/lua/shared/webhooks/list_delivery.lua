-- Schedule a new delivery, list it for its webhook, and set the expiry of both.
local function list_delivery(keys, reference, delivery_id, now, keep_ms, resend_ms)
  redis.call('PEXPIRE', keys.delivery, keep_ms)
  redis.call('ZADD', keys.due, string.format('%d', now + tonumber(resend_ms)), reference)
  local old = redis.call('ZRANGE', keys.listed, '-inf',
    string.format('%d', now - tonumber(keep_ms)), 'BYSCORE', 'LIMIT', 0, 10)
  if #old > 0 then redis.call('ZREM', keys.listed, unpack(old)) end
  redis.call('ZADD', keys.listed, string.format('%d', now), delivery_id)
  redis.call('PEXPIRE', keys.listed, keep_ms)
end
