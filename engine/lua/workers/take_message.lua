#!lua flags=allow-oom
-- Take a message that is due, else the first of the queue: nobody else gets it.
-- Called again it takes the next one, so that a message whose reply is lost is lost with it.
-- KEYS: 1 queue, 2 messages that are due later
-- ARGV: 1 now (0: Redis's clock)
-- Returns the message, or nil when there is none
-- Uses: read_now
local now = read_now(ARGV[1])
local due = redis.call('ZRANGE', KEYS[2], '-inf', string.format('%d', now), 'BYSCORE', 'LIMIT', 0, 1)
if due[1] then
  redis.call('ZREM', KEYS[2], due[1])
  return due[1]
end
return redis.call('LPOP', KEYS[1])
