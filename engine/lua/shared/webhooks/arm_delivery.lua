-- Let an execution that was accepted without a webhook deliver its end to the one of its key, as it
-- stands now: the record gets the fields of an acceptance with it, and the time.
-- Returns the URL; nil when the webhook is gone or disabled, or is notified of no end.
local function names_an_end(events)
  for _, status in ipairs({'completed', 'failed', 'cancelled'}) do
    if string.find(events, 'execution.' .. status, 1, true) then return true end
  end
  return false
end

local function arm_delivery(now)
  local webhook = redis.call('HMGET', KEYS.webhook, 'url', 'enabled', 'events')
  local url, events = webhook[1], webhook[3]
  if not url or webhook[2] ~= '1' or (events and not names_an_end(events)) then return end
  redis.call('HSET', KEYS.execution, 'webhook_url', url, 'delivery_keep_ms', ARGV.keep_ms,
    'delivery_resend_ms', ARGV.resend_ms, 'armed', string.format('%d', now))
  if events then redis.call('HSET', KEYS.execution, 'webhook_events', events) end
  return url
end
