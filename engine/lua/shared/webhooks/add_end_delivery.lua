-- Add the delivery of an execution's end in the same step as the end, and end the run's webhook: it
-- is removed with its secret when the last of its deliveries has ended.
local function add_end_delivery(status, now)
  add_event_delivery(KEYS.execution, KEYS.delivery, 'execution.' .. status, now)
  if not KEYS.run_webhook then return end
  if tonumber(redis.call('HGET', KEYS.run_webhook, 'pending') or '0') <= 0 then
    redis.call('UNLINK', KEYS.run_webhook)
  else
    redis.call('HSET', KEYS.run_webhook, 'ended', '1')
    redis.call('PEXPIRE', KEYS.run_webhook,
      redis.call('HGET', KEYS.execution, 'delivery_keep_ms'))
  end
end
