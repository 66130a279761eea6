#!lua
-- Put an archived delivery that was forgotten back, as it was: it can be sent again then.
-- KEYS: delivery, webhook_deliveries, account_deliveries
-- ARGV: delivery_id, created_at (in milliseconds), keep_ms, fields... (each with its value)
-- Returns 1 when it was put back, 0 when it is there
if redis.call('EXISTS', KEYS.delivery) == 1 then return 0 end
for position = FIRST.fields, LAST.fields, 2 do
  redis.call('HSET', KEYS.delivery, ARGV[position], ARGV[position + 1])
end
redis.call('PEXPIRE', KEYS.delivery, ARGV.keep_ms)
redis.call('ZADD', KEYS.webhook_deliveries, ARGV.created_at, ARGV.delivery_id)
redis.call('PEXPIRE', KEYS.webhook_deliveries, ARGV.keep_ms)
redis.call('ZADD', KEYS.account_deliveries, ARGV.created_at, ARGV.delivery_id)
redis.call('PEXPIRE', KEYS.account_deliveries, ARGV.keep_ms)
return 1
