#!lua flags=allow-oom
-- Delete a saved model. Its versions are kept, and a later save continues their numbers.
-- Called again with the same operation id, the script returns its first answer.
-- KEYS: 1 saved models, 2 audit log
-- ARGV: 1 now (0: Redis's clock), 2 internal name, 3 operation id, 4 channel, 5 to 10 the act of the
--       audit log, whose before is the version
-- Returns its last version | 0 without one
-- Uses: read_now, add_audit
local keys = {audit = KEYS[2]}
local name = ARGV[2]
local head = redis.call('HMGET', KEYS[1], 'version:' .. name, 'created:' .. name,
  'operation:' .. name)
if head[3] == ARGV[3] then return tonumber(head[1]) end
if not head[2] then return 0 end
redis.call('HDEL', KEYS[1], 'created:' .. name)
redis.call('HSET', KEYS[1], 'operation:' .. name, ARGV[3])
redis.call('HINCRBY', KEYS[1], 'generation', 1)
redis.call('PUBLISH', ARGV[4], name)
add_audit(keys, read_now(ARGV[1]), 5, string.format('{"version":%d}', head[1]))
return tonumber(head[1])
