#!lua flags=allow-oom
-- Remove the record of an asset whose bytes are removed, and subtract them from its account's.
-- KEYS: 1 asset, 2 assets due, 3 references, 4 bytes of media by account
-- ARGV: 1 asset id
-- Returns 1 when removed, 0 when it was not hidden
-- Uses: uncount_media
local head = redis.call('HMGET', KEYS[1], 'state', 'account', 'bytes')
if head[1] ~= 'hidden' then return 0 end
local keys = {stored = KEYS[4]}
if head[3] then uncount_media(keys, head[2], head[3]) end
redis.call('UNLINK', KEYS[1], KEYS[3])
redis.call('ZREM', KEYS[2], ARGV[1])
return 1
