#!lua flags=allow-oom
-- Claim a delivery for one attempt and return a fence, a lease, and the records of the delivery and
-- its webhook. Refused before its time, during another attempt's lease, for another URL than the
-- caller's, and for formats of the records that the caller does not know.
-- Called again with the same token, the script returns its first answer.
-- After a lost reply the call is sent again.
-- KEYS: delivery, deliveries_due, webhook, signer? (webhook of the API key whose secrets sign)
-- ARGV: now?, reference, token (of this claim), lease_ms, url, delivery_format
--       (newest one that the caller knows), webhook_format
-- Returns {'claimed', now, delivery's fields and values, webhook's, signer's} | {'busy'}
--         | {'ended'} | {'missing'} | {'moved'} | {'unknown'}
-- Uses: read_now
local now = read_now(ARGV.now)

local head = redis.call('HMGET', KEYS.delivery, 'status', 'next', 'token', 'url', 'format')
if head[1] ~= 'pending' then
  redis.call('ZREM', KEYS.deliveries_due, ARGV.reference)
  return {head[1] and 'ended' or 'missing'}
end
if head[3] ~= ARGV.token then
  if tonumber(head[2]) > now then return {'busy'} end
  if head[4] ~= ARGV.url then return {'moved'} end
  local format = redis.call('HGET', KEYS.webhook, 'format') or '1'
  if tonumber(head[5] or '1') > tonumber(ARGV.delivery_format)
    or tonumber(format) > tonumber(ARGV.webhook_format) then return {'unknown'} end
  local ends = string.format('%d', now + tonumber(ARGV.lease_ms))
  redis.call('HINCRBY', KEYS.delivery, 'fence', 1)
  redis.call('HSET', KEYS.delivery, 'token', ARGV.token, 'next', ends)
  redis.call('ZADD', KEYS.deliveries_due, ends, ARGV.reference)
end
return {'claimed', string.format('%d', now), redis.call('HGETALL', KEYS.delivery),
  redis.call('HGETALL', KEYS.webhook), KEYS.signer and redis.call('HGETALL', KEYS.signer) or {}}
