-- Schedule a new delivery, list it for its webhook, and set the expiry of both.
local function list_delivery(delivery_id, now, keep_ms, resend_ms)
  redis.call('PEXPIRE', KEYS.delivery, keep_ms)
  local due = string.format('%d', now + tonumber(resend_ms))
  redis.call('ZADD', KEYS.deliveries_due, due, ARGV.reference)
  local old = redis.call('ZRANGE', KEYS.webhook_deliveries, '-inf',
    string.format('%d', now - tonumber(keep_ms)), 'BYSCORE', 'LIMIT', 0, 10)
  if #old > 0 then redis.call('ZREM', KEYS.webhook_deliveries, unpack(old)) end
  redis.call('ZADD', KEYS.webhook_deliveries, string.format('%d', now), delivery_id)
  redis.call('PEXPIRE', KEYS.webhook_deliveries, keep_ms)
end
