-- Add the delivery of an execution's end in the same step as the end. Its data were frozen in the
-- record at the acceptance.
local function add_end_delivery(keys, execution, reference, execution_id, status, now)
  local webhook = redis.call('HMGET', execution, 'key', 'webhook_url', 'delivery_keep_ms',
    'delivery_resend_ms')
  local stamp = string.format('%d', now)
  redis.call('HSET', keys.delivery, 'status', 'pending', 'execution', execution_id, 'key', webhook[1],
    'url', webhook[2], 'event', 'execution.' .. status, 'created', stamp, 'next', stamp)
  list_delivery(keys, reference, execution_id, now, webhook[3], webhook[4])
end
