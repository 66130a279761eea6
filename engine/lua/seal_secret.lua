#!lua flags=allow-oom
-- Put the sealed form of a secret in the place of its plain one. Called again, or when there is
-- another secret by now, it changes nothing.
-- KEYS: 1 webhook
-- ARGV: 1 field, 2 plain, 3 sealed
-- Returns 'ok' | 'other'
if redis.call('HGET', KEYS[1], ARGV[1]) ~= ARGV[2] then return 'other' end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
return 'ok'
