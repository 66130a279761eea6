#!lua flags=allow-oom
-- Delete a saved model. Its versions are kept, and a later save continues their numbers.
-- Called again with the same operation id, the script returns its first answer.
-- After a lost reply the call is sent again.
-- KEYS: models, audit
-- ARGV: now?, model, operation, changes (channel), act*6 (its before is the version)
-- Returns its last version | 0 without one
-- Uses: read_now, add_audit
local name = ARGV.model
local head = redis.call('HMGET', KEYS.models, 'version:' .. name, 'created:' .. name,
  'operation:' .. name)
if head[3] == ARGV.operation then return tonumber(head[1]) end
if not head[2] then return 0 end
redis.call('HDEL', KEYS.models, 'created:' .. name)
redis.call('HSET', KEYS.models, 'operation:' .. name, ARGV.operation)
redis.call('HINCRBY', KEYS.models, 'generation', 1)
redis.call('PUBLISH', ARGV.changes, name)
add_audit(read_now(ARGV.now), string.format('{"version":%d}', head[1]))
return tonumber(head[1])
