#!lua flags=allow-oom
-- Replace the stored form of a secret by a newly sealed one. Called again, or after another change
-- of the secret, the script changes nothing.
-- KEYS: 1 webhook
-- ARGV: 1 field, 2 stored form as read, 3 sealed form
-- Returns 'ok' | 'other'
if redis.call('HGET', KEYS[1], ARGV[1]) ~= ARGV[2] then return 'other' end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
return 'ok'
