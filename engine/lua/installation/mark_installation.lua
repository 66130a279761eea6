#!lua flags=allow-oom
-- Mark this Redis as an installation's, unless its marker has changed since the read.
-- KEYS: 1 marker
-- ARGV: 1 now (0: Redis's clock), 2 ids of the marker ('' for no marker), 3 new ids, 4 schema
--       version, 5 number of partitions
-- Returns 1 when marked, else 0
-- Uses: read_now
local now = read_now(ARGV[1])

local ids = redis.call('HGET', KEYS[1], 'ids') or ''
if ids ~= ARGV[2] then return 0 end
redis.call('HSET', KEYS[1], 'ids', ARGV[3], 'schema', ARGV[4], 'partitions', ARGV[5])
redis.call('HSETNX', KEYS[1], 'created', string.format('%d', now))
return 1
