#!lua flags=allow-oom
-- Remove the record of an asset whose bytes are removed, and subtract them from its account's.
-- KEYS: asset, assets_due, asset_references, media_bytes (by account)
-- ARGV: asset_id
-- Returns 1 when removed, 0 when it was not hidden
-- Uses: uncount_media
local head = redis.call('HMGET', KEYS.asset, 'state', 'account', 'bytes')
if head[1] ~= 'hidden' then return 0 end
if head[3] then uncount_media(head[2], head[3]) end
redis.call('UNLINK', KEYS.asset, KEYS.asset_references)
redis.call('ZREM', KEYS.assets_due, ARGV.asset_id)
return 1
