#!lua
-- Ask for the picture at the URL of a workflow's cover, unless its asset is recorded, or it was
-- asked for already.
-- Called again, the script changes nothing.
-- KEYS: workflow
-- ARGV: now?, digest (of the URL), quiet_ms (for which nobody asks again), gone? (asset that was
--       recorded and is deleted)
-- Returns {recorded asset or '', 1 when the picture is to be fetched now | 0}
-- Uses: read_now
local now = read_now(ARGV.now)
local head = redis.call('HMGET', KEYS.workflow, 'state', 'cover')
if not head[1] then return {'', 0} end
local digest, quiet, asset = string.match(head[2] or '', '^(%x+)|(%d+)|(.*)$')
if digest == ARGV.digest then
  if asset ~= '' and asset ~= ARGV.gone then return {asset, 0} end
  if asset == '' and now < tonumber(quiet) then return {'', 0} end
end
local cover = string.format('%s|%d|', ARGV.digest, now + ARGV.quiet_ms)
redis.call('HSET', KEYS.workflow, 'cover', cover)
return {'', 1}
