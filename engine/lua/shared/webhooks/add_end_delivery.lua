-- Add the delivery of an execution's end in the same step as the end. Its data were frozen in the
-- record at the acceptance.
local function add_end_delivery(keys, execution, reference, execution_id, status, now)
  local hook = redis.call('HMGET', execution, 'key', 'hook', 'hook_keep', 'hook_resend')
  local stamp = string.format('%d', now)
  redis.call('HSET', keys.delivery, 'status', 'pending', 'execution', execution_id, 'key', hook[1],
    'url', hook[2], 'event', 'execution.' .. status, 'created', stamp, 'next', stamp)
  list_delivery(keys, reference, execution_id, now, hook[3], hook[4])
end
