#!lua flags=allow-oom
-- Send hints of accepted executions, which must continue when Redis is full.
-- KEYS: 1 hints
-- ARGV: 1 and on, hints
-- Returns the number of waiting hints
return redis.call('RPUSH', KEYS[1], unpack(ARGV))
