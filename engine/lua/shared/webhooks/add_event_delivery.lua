-- Add the delivery of an event of an execution to its webhook, as it was frozen in the record at
-- the acceptance: the webhook of a key, or the run's own. `record` is the key of that record, and
-- `ARGV.reference` ends with its id. Further fields and values follow.
-- Nothing is added for an event that the webhook does not ask for, for a delivery that exists, and
-- to a run's webhook that a receiver has ended.
local function add_event_delivery(record, delivery, event, now, ...)
  local webhook = redis.call('HMGET', record, 'key', 'webhook_url', 'delivery_keep_ms',
    'delivery_resend_ms', 'webhook_events', 'webhook_owner')
  if not webhook[2] then return end -- Redis has lost that a wait ended with it
  local events = webhook[5] or 'execution.completed,execution.failed,execution.cancelled'
  if not string.find(',' .. events .. ',', ',' .. event .. ',', 1, true) then return end
  if redis.call('EXISTS', delivery) == 1 then return end
  if KEYS.run_webhook then
    local own = redis.call('HMGET', KEYS.run_webhook, 'enabled', 'signer')
    if own[1] ~= '1' then return end
    if own[2] then redis.call('HSET', delivery, 'signer', own[2]) end
    redis.call('HINCRBY', KEYS.run_webhook, 'pending', 1)
  end
  -- The webhook of a key that asks for the end alone has no numbers.
  if webhook[5] or webhook[6] then
    local sequence = redis.call('HINCRBY', record, 'sequence', 1)
    redis.call('HSET', delivery, 'sequence', sequence)
  end
  local stamp = string.format('%d', now)
  redis.call('HSET', delivery, 'status', 'pending',
    'execution', string.match(ARGV.reference, '[^/]+$'), 'key', webhook[6] or webhook[1],
    'url', webhook[2], 'event', event, 'created', stamp, 'next', stamp, 'format', 2,
    ...)
  list_delivery(delivery, now, webhook[3], webhook[4])
end
