-- Schedule a new delivery, list it for its webhook, for its account and, where the key
-- `run_deliveries` is given, for its execution, and set the expiry of all. `of_webhook` is the list
-- of its webhook where that is not the key `webhook_deliveries`.
local function list_delivery(delivery, now, keep_ms, resend_ms, of_webhook)
  local delivery_id = string.match(delivery, '[^:]+$')
  local reference = string.match(ARGV.reference, '^[^/]+/') .. delivery_id
  local stamp, oldest = string.format('%d', now), string.format('%d', now - tonumber(keep_ms))
  redis.call('PEXPIRE', delivery, keep_ms)
  redis.call('ZADD', KEYS.deliveries_due, string.format('%d', now + tonumber(resend_ms)), reference)
  of_webhook = of_webhook or KEYS.webhook_deliveries
  for _, list in ipairs({of_webhook, KEYS.account_deliveries, KEYS.run_deliveries}) do
    if list then
      local old = redis.call('ZRANGE', list, '-inf', oldest, 'BYSCORE', 'LIMIT', 0, 10)
      if #old > 0 then redis.call('ZREM', list, unpack(old)) end
      redis.call('ZADD', list, stamp, delivery_id)
      redis.call('PEXPIRE', list, keep_ms)
    end
  end
end
