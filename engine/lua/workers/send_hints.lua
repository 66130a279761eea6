#!lua flags=allow-oom
-- Send hints of accepted executions, which must continue when Redis is full.
-- KEYS: queue
-- ARGV: hints...
-- Returns the number of waiting hints
return redis.call('RPUSH', KEYS.queue, unpack(ARGV, FIRST.hints))
