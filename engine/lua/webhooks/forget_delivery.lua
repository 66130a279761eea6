#!lua flags=allow-oom
-- Remove an ended delivery that is in the history, unless it was scheduled again since.
-- KEYS: 1 delivery, 2 archived deliveries, 3 deliveries of the webhook, 4 newest forgotten
-- ARGV: 1 name among the archived ones, 2 delivery id, 3 fence of the archived attempt
-- Returns 1 when removed, else 0
redis.call('ZREM', KEYS[2], ARGV[1])
local head = redis.call('HMGET', KEYS[1], 'status', 'fence', 'created')
if not head[1] or head[1] == 'pending' or head[2] ~= ARGV[3] then return 0 end
local account_id = string.match(ARGV[1], '^[^/]+')
local newest = tonumber(redis.call('HGET', KEYS[4], account_id) or '-1')
if tonumber(head[3]) > newest then redis.call('HSET', KEYS[4], account_id, head[3]) end
redis.call('UNLINK', KEYS[1])
redis.call('ZREM', KEYS[3], ARGV[2])
return 1
