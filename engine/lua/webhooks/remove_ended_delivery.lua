#!lua flags=allow-oom
-- Remove an ended delivery that is in the history, unless it was scheduled again since.
-- KEYS: delivery, archived_deliveries, webhook_deliveries, newest_forgotten, account_deliveries,
--       run_deliveries? (of its execution)
-- ARGV: member (of the archived ones), delivery_id, fence (of the archived attempt)
-- Returns 1 when removed, else 0
redis.call('ZREM', KEYS.archived_deliveries, ARGV.member)
local head = redis.call('HMGET', KEYS.delivery, 'status', 'fence', 'created')
if not head[1] or head[1] == 'pending' or head[2] ~= ARGV.fence then return 0 end
local account_id = string.match(ARGV.member, '^[^/]+')
local newest = tonumber(redis.call('HGET', KEYS.newest_forgotten, account_id) or '-1')
if tonumber(head[3]) > newest then
  redis.call('HSET', KEYS.newest_forgotten, account_id, head[3])
end
redis.call('UNLINK', KEYS.delivery)
redis.call('ZREM', KEYS.webhook_deliveries, ARGV.delivery_id)
redis.call('ZREM', KEYS.account_deliveries, ARGV.delivery_id)
if KEYS.run_deliveries then redis.call('ZREM', KEYS.run_deliveries, ARGV.delivery_id) end
return 1
