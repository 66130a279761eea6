-- Count a delivery that is pending no more for the webhook of its run or batch. After the last one,
-- the webhook is removed with its secret, once that run or batch has ended.
local function end_pending_delivery()
  local pending = redis.call('HINCRBY', KEYS.webhook, 'pending', -1)
  if pending <= 0 and redis.call('HEXISTS', KEYS.webhook, 'ended') == 1 then
    redis.call('UNLINK', KEYS.webhook)
  end
end
