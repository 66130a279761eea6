#!lua flags=allow-oom
-- Mark this Redis as an installation's, unless its marker has changed since the read.
-- KEYS: installation
-- ARGV: now?, known_ids? (of the marker as read; absent: no marker), ids (new ones), schema
--       (version), partitions
-- Returns 1 when marked, else 0
-- Uses: read_now
local now = read_now(ARGV.now)

local ids = redis.call('HGET', KEYS.installation, 'ids') or ''
if ids ~= ARGV.known_ids then return 0 end
redis.call('HSET', KEYS.installation, 'ids', ARGV.ids, 'schema', ARGV.schema,
  'partitions', ARGV.partitions)
redis.call('HSETNX', KEYS.installation, 'created', string.format('%d', now))
return 1
