#!lua flags=allow-oom
-- Let an asset be seen whose bytes are stored.
-- Called again it changes nothing.
-- KEYS: 1 asset, 2 assets due, 3 references
-- ARGV: 1 now (0: Redis's clock), 2 asset id, 3 milliseconds to keep it, 4 execution that it must
--       outlive ('' none), then field and value pairs
-- Returns {created, expires} | {} when it was given up meanwhile
-- Uses: read_now
local now = read_now(ARGV[1])
local head = redis.call('HMGET', KEYS[1], 'state', 'created', 'expires')
if head[1] == 'kept' then return {head[2], head[3]} end
if head[1] ~= 'pending' then return {} end
local expires = string.format('%d', now + tonumber(ARGV[3]))
redis.call('HSET', KEYS[1], 'state', 'kept', 'expires', expires, unpack(ARGV, 5))
redis.call('ZADD', KEYS[2], expires, ARGV[2])
if ARGV[4] ~= '' then redis.call('SADD', KEYS[3], ARGV[4]) end
return {head[2], expires}
