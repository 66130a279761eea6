#!lua flags=allow-oom
-- Delete an asset at its account's request, whatever refers to it: hide it, subtract its bytes, and
-- schedule the removal of its bytes after running readers have ended.
-- KEYS: 1 asset, 2 assets due, 3 assets by account, 4 bytes of media by account
-- ARGV: 1 now (0: Redis's clock), 2 asset id, 3 account id, 4 milliseconds until its bytes may be
--       removed
-- Returns 1 | 0 when the account has no such asset
-- Uses: read_now, asset_place, uncount_media
local now = read_now(ARGV[1])
local head = redis.call('HMGET', KEYS[1], 'account', 'state', 'created', 'bytes')
if head[1] ~= ARGV[3] or head[2] ~= 'kept' then return 0 end
local keys = {stored = KEYS[4]}
redis.call('ZREM', KEYS[3], asset_place(head[1], head[3], ARGV[2]))
uncount_media(keys, head[1], head[4])
redis.call('HDEL', KEYS[1], 'bytes') -- so that they are subtracted only once
redis.call('HSET', KEYS[1], 'state', 'hidden')
redis.call('ZADD', KEYS[2], string.format('%d', now + tonumber(ARGV[4])), ARGV[2])
return 1
