#!lua flags=allow-oom
-- Record the response to the first call with an idempotency key; the first response stays.
-- After a lost reply the call is sent again.
-- KEYS: idempotency
-- ARGV: answer
-- Returns the recorded response
local answer = redis.call('HGET', KEYS.idempotency, 'answer')
if answer then return answer end
if redis.call('EXISTS', KEYS.idempotency) == 1 then
  redis.call('HSET', KEYS.idempotency, 'answer', ARGV.answer)
end
return ARGV.answer
