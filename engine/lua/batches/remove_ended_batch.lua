#!lua flags=allow-oom
-- Remove a batch that is over and is in the history, or whose retention is over. It stays while its
-- end waits to be delivered, and where it was retried since it was read.
-- KEYS: batch, batches (of the account), listed (what names it as over), open_batches (of the
--       account), delivery (of its end), newest_forgotten
-- ARGV: now?, id, reference, last_retry? (that the history knows)
-- Returns 0 when it stays, 1 when removed, 2 when removed with objects left in the blob store
-- Uses: read_now
local now = read_now(ARGV.now)
local OFFLOADED = 193

local head = redis.call('HMGET', KEYS.batch, 'created', 'completed', 'retry', 'c0', 'kind',
  'has_objects')
if not head[1] then
  redis.call('ZREM', KEYS.listed, ARGV.reference)
  return 0
end
if not head[2] or (head[3] or '') ~= ARGV.last_retry
  or redis.call('ZSCORE', KEYS.open_batches, ARGV.id)
  or redis.call('HGET', KEYS.delivery, 'status') == 'pending' then
  redis.call('ZADD', KEYS.listed, 'XX', string.format('%d', now), ARGV.reference)  -- again later
  return 0
end
local account_id = string.match(ARGV.reference, '^[^/]+')
local newest = tonumber(redis.call('HGET', KEYS.newest_forgotten, account_id) or '-1')
-- The history has no list of a kind, and is not asked about forgotten ones.
if not head[5] and tonumber(head[1]) > newest then
  redis.call('HSET', KEYS.newest_forgotten, account_id, head[1])
end
redis.call('UNLINK', KEYS.batch)
redis.call('ZREM', KEYS.batches, ARGV.id)
redis.call('ZREM', KEYS.listed, ARGV.reference)
return (head[6] or head[4] and string.byte(head[4]) == OFFLOADED) and 2 or 1
