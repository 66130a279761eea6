#!lua flags=allow-oom
-- Delete a saved model. Its versions are kept, and a later save continues their numbers.
-- Called again with the same operation id, the script returns its first answer.
-- KEYS: 1 saved models
-- ARGV: 1 internal name, 2 operation id, 3 channel
-- Returns its last version | 0 without one
local name = ARGV[1]
local head = redis.call('HMGET', KEYS[1], 'version:' .. name, 'created:' .. name,
  'operation:' .. name)
if head[3] == ARGV[2] then return tonumber(head[1]) end
if not head[2] then return 0 end
redis.call('HDEL', KEYS[1], 'created:' .. name)
redis.call('HSET', KEYS[1], 'operation:' .. name, ARGV[2])
redis.call('HINCRBY', KEYS[1], 'generation', 1)
redis.call('PUBLISH', ARGV[3], name)
return tonumber(head[1])
