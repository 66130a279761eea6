#!lua flags=allow-oom
-- Review an expired asset: extend it while a referrer exists; else hide it and schedule the removal
-- of its bytes after running readers have ended.
-- KEYS: 1 asset, 2 assets due, 3 references, 4 assets by account, then the records of referrers
-- ARGV: 1 now (0: Redis's clock), 2 asset id, 3 milliseconds of an extension, 4 milliseconds until
--       its bytes may be removed, then the references of those records
-- Returns 'early' | 'gone' | 'kept' | 'more' with references left to examine | 'hidden' | 'ripe'
-- Uses: read_now, asset_place
local now = read_now(ARGV[1])
local due = redis.call('ZSCORE', KEYS[2], ARGV[2])
if not due then return 'gone' end
if tonumber(due) > now then return 'early' end
local head = redis.call('HMGET', KEYS[1], 'state', 'account', 'created')
if not head[1] then
  redis.call('ZREM', KEYS[2], ARGV[2])
  return 'gone'
end
if head[1] == 'hidden' then return 'ripe' end

local is_needed = false
for position = 5, #KEYS do
  if redis.call('EXISTS', KEYS[position]) == 1 then
    is_needed = true
  else
    redis.call('SREM', KEYS[3], ARGV[position])
  end
end
if is_needed then
  local expires = string.format('%d', now + tonumber(ARGV[3]))
  redis.call('HSET', KEYS[1], 'expires', expires)
  redis.call('ZADD', KEYS[2], expires, ARGV[2])
  return 'kept'
end
if redis.call('SCARD', KEYS[3]) > 0 then return 'more' end
redis.call('ZREM', KEYS[4], asset_place(head[2], head[3], ARGV[2]))
redis.call('HSET', KEYS[1], 'state', 'hidden')
redis.call('ZADD', KEYS[2], string.format('%d', now + tonumber(ARGV[4])), ARGV[2])
return 'hidden'
