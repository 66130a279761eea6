#!lua flags=allow-oom
-- Record the response to the first call with an idempotency key; the first response stays.
-- KEYS: 1 idempotency record
-- ARGV: 1 response
-- Returns the recorded response
local answer = redis.call('HGET', KEYS[1], 'answer')
if answer then return answer end
if redis.call('EXISTS', KEYS[1]) == 1 then redis.call('HSET', KEYS[1], 'answer', ARGV[1]) end
return ARGV[1]
