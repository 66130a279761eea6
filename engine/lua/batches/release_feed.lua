#!lua flags=allow-oom
-- Let other workers begin items of a list again, such as a batch, and schedule the next look at it.
-- KEYS: list, open_lists (of the account), accounts_due
-- ARGV: now?, account_id, member (of the open lists), token, pause_ms (until that look)
-- Returns 1, or 0 when another worker begins its items
-- Uses: read_now
local now = read_now(ARGV.now)
local lease = redis.call('HGET', KEYS.list, 'grows') and 'round_feeder' or 'feeder'
if redis.call('HGET', KEYS.list, lease) ~= ARGV.token then return 0 end
redis.call('HDEL', KEYS.list, lease, lease .. '_until')
local next_look = string.format('%d', now + tonumber(ARGV.pause_ms))
redis.call('ZADD', KEYS.open_lists, next_look, ARGV.member)
redis.call('ZADD', KEYS.accounts_due, 'LT', next_look, ARGV.account_id)
return 1
