#!lua flags=allow-oom
-- Record the time of an API key's use, unless the key is deleted.
-- KEYS: 1 account's API keys, 2 account's uses of keys
-- ARGV: 1 now (0: Redis's clock), 2 key id
-- Returns 1 | 0 when there is no such key
-- Uses: read_now
if redis.call('HEXISTS', KEYS[1], ARGV[2]) == 0 then return 0 end
local now = read_now(ARGV[1])
redis.call('HSET', KEYS[2], ARGV[2], string.format('%d', now))
return 1
