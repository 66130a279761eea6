-- Save the statuses of a batch's items. When none is queued or runs, the batch is over, and is
-- looked at once more, for the delivery of its end. `status` is that of the batch.
local function save_states(states, status, account, id, now)
  redis.call('HSET', KEYS.batch, 'states', states)
  if string.find(states, '[qp]') then return end
  redis.call('HSET', KEYS.batch, 'status', status == 'cancelling' and 'cancelled' or 'completed',
    'completed', string.format('%d', now))
  schedule_batch(account, id, now)
end
