#!lua
-- Save the webhook of an API key. After a change of the secret the previous one stays valid for a
-- while.
-- Called again, the script returns its first answer.
-- KEYS: 1 webhook, 2 account's API keys, 3 audit log
-- ARGV: 1 now (0: Redis's clock), 2 key id, 3 url, 4 enabled '0'|'1', 5 secret ('' for the existing
--       one), 6 secret for a webhook without one, 7 milliseconds for which the previous one stays
--       valid, 8 to 13 the act of the audit log
-- Returns {'ok', secret, reason of disabling, created} | {'missing'}
-- Uses: read_now, add_audit
local keys = {audit = KEYS[3]}
local now = read_now(ARGV[1])
local stamp = string.format('%d', now)

if redis.call('HEXISTS', KEYS[2], ARGV[2]) == 0 then return {'missing'} end
local head = redis.call('HMGET', KEYS[1], 'secret', 'created', 'enabled', 'reason')
local secret = ARGV[5] ~= '' and ARGV[5] or head[1] or ARGV[6]
if head[1] and head[1] ~= secret then
  redis.call('HSET', KEYS[1], 'old_secret', head[1],
    'old_until', string.format('%d', now + tonumber(ARGV[7])))
end
local created = head[2] or stamp
local reason = ARGV[4] == '0' and head[3] == '0' and head[4] or ''
redis.call('HSET', KEYS[1], 'url', ARGV[3], 'enabled', ARGV[4], 'secret', secret,
  'created', created, 'reason', reason)
redis.call('HDEL', KEYS[1], 'failing')
add_audit(keys, now, 8)
return {'ok', secret, reason, created}
