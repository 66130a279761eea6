-- Let an execution that was accepted without a webhook deliver its end to the one of its key, as it
-- stands now: the record gets the fields of an acceptance with it, and the time. Of the events that
-- the webhook asks for, only ends are frozen there.
-- Returns the URL; nil when the webhook is gone or disabled, or asks for no end.
local function ends_among(events)
  local ends = {}
  for _, status in ipairs({'completed', 'failed', 'cancelled'}) do
    local event = 'execution.' .. status
    if string.find(',' .. events .. ',', ',' .. event .. ',', 1, true) then
      ends[#ends + 1] = event
    end
  end
  return table.concat(ends, ',')
end

local function arm_delivery(now)
  local webhook = redis.call('HMGET', KEYS.webhook, 'url', 'enabled', 'events')
  local url, ends = webhook[1], webhook[3] and ends_among(webhook[3])
  if not url or webhook[2] ~= '1' or ends == '' then return end
  redis.call('HSET', KEYS.execution, 'webhook_url', url, 'delivery_keep_ms', ARGV.keep_ms,
    'delivery_resend_ms', ARGV.resend_ms, 'armed', string.format('%d', now))
  if ends then redis.call('HSET', KEYS.execution, 'webhook_events', ends) end
  return url
end
