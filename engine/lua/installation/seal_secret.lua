#!lua flags=allow-oom
-- Replace the stored form of a secret by a newly sealed one. Called again, or after another change
-- of the secret, the script changes nothing.
-- KEYS: record
-- ARGV: field, stored (form as read), sealed (form)
-- Returns 'ok' | 'other'
if redis.call('HGET', KEYS.record, ARGV.field) ~= ARGV.stored then return 'other' end
redis.call('HSET', KEYS.record, ARGV.field, ARGV.sealed)
return 'ok'
