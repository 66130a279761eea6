#!lua flags=allow-oom
-- Take a due message, else the first of the queue, for this caller alone. Called again, the script
-- takes the next one: a message whose reply is lost is lost too.
-- KEYS: queue, delayed (messages)
-- ARGV: now?
-- Returns the message, or nil when there is none
-- Uses: read_now
local now = read_now(ARGV.now)
local stamp = string.format('%d', now)
local due = redis.call('ZRANGE', KEYS.delayed, '-inf', stamp, 'BYSCORE', 'LIMIT', 0, 1)
if due[1] then
  redis.call('ZREM', KEYS.delayed, due[1])
  return due[1]
end
return redis.call('LPOP', KEYS.queue)
