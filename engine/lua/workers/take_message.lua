#!lua flags=allow-oom
-- Take a due message, else the first of the queue, for this caller alone. Called again, the script
-- takes the next one: a message whose reply is lost is lost too.
-- KEYS: 1 queue, 2 delayed messages
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
