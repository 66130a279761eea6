-- Add the delivery of an execution's end in the same step as the end. Its data were frozen in the
-- record at the acceptance.
local function add_end_delivery(status, now)
  local webhook = redis.call('HMGET', KEYS.execution, 'key', 'webhook_url', 'delivery_keep_ms',
    'delivery_resend_ms')
  if not webhook[2] then return end -- Redis has lost that a wait ended with it
  local stamp = string.format('%d', now)
  redis.call('HSET', KEYS.delivery, 'status', 'pending', 'execution', ARGV.execution_id,
    'key', webhook[1], 'url', webhook[2], 'event', 'execution.' .. status, 'created', stamp,
    'next', stamp, 'format', 2)
  list_delivery(ARGV.execution_id, now, webhook[3], webhook[4])
end
