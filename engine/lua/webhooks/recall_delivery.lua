#!lua
-- Put an archived delivery that was forgotten back, as it was: it can be sent again then.
-- KEYS: 1 delivery, 2 deliveries of the webhook
-- ARGV: 1 delivery id, 2 creation time in milliseconds, 3 milliseconds to keep it, then each field
--       and its value
-- Returns 1 when it was put back, 0 when it is there
if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
for position = 4, #ARGV, 2 do
  redis.call('HSET', KEYS[1], ARGV[position], ARGV[position + 1])
end
redis.call('PEXPIRE', KEYS[1], ARGV[3])
redis.call('ZADD', KEYS[2], ARGV[2], ARGV[1])
redis.call('PEXPIRE', KEYS[2], ARGV[3])
return 1
