#!lua flags=allow-oom
-- Record the asset that was made of the picture at the URL of a workflow's cover, or that none was.
-- Called again, the script records the same.
-- KEYS: 1 workflow
-- ARGV: 1 now (0: Redis's clock), 2 digest of the URL, 3 asset ('' for none), 4 milliseconds for
--       which nobody asks again
-- Returns 1 | 0 when the workflow is gone, or has been asked for another picture since
-- Uses: read_now
local known = redis.call('HGET', KEYS[1], 'cover') or ''
if string.match(known, '^(%x+)|') ~= ARGV[2] then return 0 end
local quiet = read_now(ARGV[1]) + ARGV[4]
redis.call('HSET', KEYS[1], 'cover', string.format('%s|%d|%s', ARGV[2], quiet, ARGV[3]))
return 1
