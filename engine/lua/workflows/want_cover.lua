#!lua
-- Ask for the picture at the URL of a workflow's cover, unless it is kept or was asked for already.
-- Called again, the script finds that it was.
-- KEYS: 1 workflow
-- ARGV: 1 now (0: Redis's clock), 2 digest of the URL, 3 milliseconds for which nobody asks again,
--       4 asset that was kept and is gone ('' for none)
-- Returns {asset that is kept, '' for none, 1 when the picture is to be fetched now | 0}
-- Uses: read_now
local now = read_now(ARGV[1])
local head = redis.call('HMGET', KEYS[1], 'state', 'cover')
if not head[1] then return {'', 0} end
local digest, quiet, asset = string.match(head[2] or '', '^(%x+)|(%d+)|(.*)$')
if digest == ARGV[2] then
  if asset ~= '' and asset ~= ARGV[4] then return {asset, 0} end
  if asset == '' and now < tonumber(quiet) then return {'', 0} end
end
redis.call('HSET', KEYS[1], 'cover', string.format('%s|%d|', ARGV[2], now + ARGV[3]))
return {'', 1}
