#!lua
-- Save the webhook of an API key. After a change of the secret the previous one stays valid for a
-- while.
-- Called again, the script returns its first answer.
-- After a lost reply the call is sent again.
-- KEYS: webhook, account_api_keys, audit
-- ARGV: now?, api_key, url, enabled ('0' or '1'), secret? (absent: the existing one), new_secret
--       (for a webhook without one), events? (absent: the existing ones), overlap_ms (for
--       which the previous secret stays valid), format (newest one that the caller knows),
--       may_approve? ('1' when it gets the links of approvals), act*6
-- Returns {'ok', secret, reason of disabling, created, events or ''} | {'missing'}
--         | {'unknown'} format
-- Uses: read_now, add_audit
local now = read_now(ARGV.now)
local stamp = string.format('%d', now)

if redis.call('HEXISTS', KEYS.account_api_keys, ARGV.api_key) == 0 then return {'missing'} end
local head = redis.call('HMGET', KEYS.webhook, 'secret', 'created', 'enabled', 'reason',
  'format')
if tonumber(head[5] or '1') > tonumber(ARGV.format) then return {'unknown'} end
local secret = ARGV.secret ~= '' and ARGV.secret or head[1] or ARGV.new_secret
if head[1] and head[1] ~= secret then
  redis.call('HSET', KEYS.webhook, 'previous_secret', head[1],
    'previous_secret_until', string.format('%d', now + tonumber(ARGV.overlap_ms)))
end
local created = head[2] or stamp
local reason = ARGV.enabled == '0' and head[3] == '0' and head[4] or ''
redis.call('HSET', KEYS.webhook, 'url', ARGV.url, 'enabled', ARGV.enabled, 'secret', secret,
  'created', created, 'reason', reason, 'format', ARGV.format,
  'may_approve', ARGV.may_approve)
if ARGV.events ~= '' then redis.call('HSET', KEYS.webhook, 'events', ARGV.events) end
redis.call('HDEL', KEYS.webhook, 'failing_since')
add_audit(now)
return {'ok', secret, reason, created, redis.call('HGET', KEYS.webhook, 'events') or ''}
