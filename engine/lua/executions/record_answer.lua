#!lua flags=allow-oom
-- Record how the first call with an idempotency key was answered; the first answer stays.
-- KEYS: 1 idempotency record
-- ARGV: 1 answer
-- Returns the answer on record
local answer = redis.call('HGET', KEYS[1], 'answer')
if answer then return answer end
if redis.call('EXISTS', KEYS[1]) == 1 then redis.call('HSET', KEYS[1], 'answer', ARGV[1]) end
return ARGV[1]
