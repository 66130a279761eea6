#!lua flags=allow-oom
-- Delete an asset at its account's request, whatever refers to it: hide it, subtract its bytes, and
-- schedule the removal of its bytes after running readers have ended.
-- KEYS: asset, assets_due, account_assets, media_bytes (by account)
-- ARGV: now?, asset_id, account, removal_ms (until its bytes may be removed)
-- Returns 1 | 0 when the account has no such asset
-- Uses: read_now, asset_place, uncount_media
local now = read_now(ARGV.now)
local head = redis.call('HMGET', KEYS.asset, 'account', 'state', 'created', 'bytes')
if head[1] ~= ARGV.account or head[2] ~= 'stored' then return 0 end
redis.call('ZREM', KEYS.account_assets, asset_place(head[1], head[3], ARGV.asset_id))
uncount_media(head[1], head[4])
redis.call('HDEL', KEYS.asset, 'bytes') -- so that they are subtracted only once
redis.call('HSET', KEYS.asset, 'state', 'hidden')
local removal = string.format('%d', now + tonumber(ARGV.removal_ms))
redis.call('ZADD', KEYS.assets_due, removal, ARGV.asset_id)
return 1
