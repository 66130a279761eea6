#!lua flags=allow-oom
-- Remove the record of an asset whose bytes are gone.
-- KEYS: 1 asset, 2 assets due, 3 references
-- ARGV: 1 asset id
-- Returns 1 when it is gone, 0 when it was not hidden before
if redis.call('HGET', KEYS[1], 'state') ~= 'hidden' then return 0 end
redis.call('UNLINK', KEYS[1], KEYS[3])
redis.call('ZREM', KEYS[2], ARGV[1])
return 1
