#!lua flags=allow-oom
-- Send hints for what was accepted already, which must go on when Redis is full.
-- KEYS: 1 hints
-- ARGV: 1 and further: hints
-- Returns how many wait now
return redis.call('RPUSH', KEYS[1], unpack(ARGV))
