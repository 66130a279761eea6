#!lua flags=allow-oom
-- Put a secret as it is sealed now in the place of how it was kept. Called again, or when there is
-- another secret by now, it changes nothing.
-- KEYS: 1 webhook
-- ARGV: 1 field, 2 as it was kept, 3 sealed
-- Returns 'ok' | 'other'
if redis.call('HGET', KEYS[1], ARGV[1]) ~= ARGV[2] then return 'other' end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
return 'ok'
