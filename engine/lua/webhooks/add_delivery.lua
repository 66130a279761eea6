#!lua
-- Add a delivery without an execution, due at once.
-- Called again, the script changes nothing.
-- After a lost reply the call is sent again.
-- KEYS: delivery, deliveries_due, webhook_deliveries, account_deliveries, run_deliveries? (none)
-- ARGV: now?, reference, api_key, url, event, body, keep_ms,
--       resend_ms (until a hint is repeated), format (of the record), batch? (whose end it is),
--       trace? (of the batch), signer? (API key whose webhook's secrets sign)
-- Returns the creation time
-- Uses: read_now, list_delivery
local now = read_now(ARGV.now)
local stamp = string.format('%d', now)

local created = redis.call('HGET', KEYS.delivery, 'created')
if created then return created end
redis.call('HSET', KEYS.delivery, 'status', 'pending', 'key', ARGV.api_key, 'url', ARGV.url,
  'event', ARGV.event, 'body', ARGV.body, 'created', stamp, 'next', stamp,
  'format', ARGV.format)
if ARGV.batch ~= '' then redis.call('HSET', KEYS.delivery, 'batch', ARGV.batch) end
if ARGV.trace ~= '' then redis.call('HSET', KEYS.delivery, 'trace', ARGV.trace) end
if ARGV.signer ~= '' then redis.call('HSET', KEYS.delivery, 'signer', ARGV.signer) end
list_delivery(KEYS.delivery, now, ARGV.keep_ms, ARGV.resend_ms)
return stamp
