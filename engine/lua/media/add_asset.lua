#!lua flags=allow-oom
-- Add a hidden asset whose bytes will be stored, unless the account's quota is used up. A full
-- Redis still accepts it, since accepted executions make media; uploads are refused before, when
-- their call is counted.
-- Called again, the script changes nothing.
-- After a lost reply the call is sent again.
-- KEYS: asset, assets_due, accounts, media_bytes (by account)
-- ARGV: now?, asset_id, account, source, upload_ms (until an incomplete upload is removed),
--       limits... (tier and bytes of every limited tier)
-- Returns {1, or 0 beyond the quota, bytes of the account's media}, followed by the quota, if any
-- Uses: read_now, tier_limit
local now = read_now(ARGV.now)
local limit = tier_limit(redis.call('HGET', KEYS.accounts, ARGV.account))
local stored = tonumber(redis.call('HGET', KEYS.media_bytes, ARGV.account) or 0)
if redis.call('EXISTS', KEYS.asset) == 0 then
  if limit and stored >= limit then return {0, stored, limit} end
  redis.call('HSET', KEYS.asset, 'account', ARGV.account, 'source', ARGV.source, 'state', 'pending',
    'created', string.format('%d', now))
  redis.call('ZADD', KEYS.assets_due, now + tonumber(ARGV.upload_ms), ARGV.asset_id)
end
return {1, stored, limit}
