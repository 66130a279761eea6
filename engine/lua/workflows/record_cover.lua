#!lua flags=allow-oom
-- Record the asset that was made of the picture at the URL of a workflow's cover, or that none was.
-- Called again, the script records the same.
-- After a lost reply the call is sent again.
-- KEYS: workflow
-- ARGV: now?, digest (of the URL), asset?, quiet_ms (for which nobody asks again)
-- Returns 1 | 0 when the workflow is gone, or has been asked for another picture since
-- Uses: read_now
local known = redis.call('HGET', KEYS.workflow, 'cover') or ''
if string.match(known, '^(%x+)|') ~= ARGV.digest then return 0 end
local quiet_ends = read_now(ARGV.now) + ARGV.quiet_ms
local cover = string.format('%s|%d|%s', ARGV.digest, quiet_ends, ARGV.asset)
redis.call('HSET', KEYS.workflow, 'cover', cover)
return 1
