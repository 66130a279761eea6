#!lua flags=allow-oom
-- Decide between an answer and a delivery, for a caller who waits for the end of an execution no
-- longer: an end that has come is answered, one that is still to come is delivered to the webhook
-- of the caller's key. A caller who is gone cannot be answered: with the keys of a delivery, an end
-- that has come is delivered too. No gateway decides a second time on a wait.
-- Called again, the script returns its first answer, or {'ended'} once the execution has ended
-- without a delivery.
-- After a lost reply the call is sent again.
-- KEYS: execution, webhook? (of the caller's key, if it may receive), first_call? (of the
--       idempotency key), delivery? (of the end, for a caller who is gone), deliveries_due?,
--       webhook_deliveries?, account_deliveries?, run_deliveries?, run_webhook? (none)
-- ARGV: now?, reference, answer? (to record for the first call if the execution goes
--       on), notifier? (of a gateway that died; only its waits are decided), accepted_until? (time
--       in milliseconds until which that gateway lived), keep_ms (of a delivery), resend_ms (until
--       its hint is repeated)
-- Returns {'delivered', url}, followed by 'now' for a delivery that was added | {'ended'}
--         | {'open', URL of the run's own webhook or ''} | {'decided'} of a wait of another gateway
--         | {'missing'}
-- Uses: read_now
local now = read_now(ARGV.now)

local head = redis.call('HMGET', KEYS.execution, 'status', 'notifier', 'created', 'armed',
  'webhook_url')
local status, armed, own_url = head[1], head[4], head[5]
if not status then return {'missing'} end
if armed then return {'delivered', own_url} end
if ARGV.notifier ~= '' then
  local is_its_own = head[2] == ARGV.notifier and
    tonumber(head[3]) <= tonumber(ARGV.accepted_until)
  if not is_its_own then return {'decided'} end
end

local has_ended = status ~= 'processing' and status ~= 'cancel_requested'
if KEYS.webhook and not own_url and (KEYS.delivery or not has_ended) then
  -- Uses: arm_delivery
  armed = arm_delivery(now)
  if armed and has_ended then
    -- Uses: list_delivery, add_event_delivery, add_end_delivery
    add_end_delivery(status, now)
  end
end
if (head[2] or '') ~= '' then redis.call('HSET', KEYS.execution, 'notifier', '') end
if has_ended and not armed then return {'ended'} end
if KEYS.first_call and ARGV.answer ~= '' and redis.call('EXISTS', KEYS.first_call) == 1 then
  redis.call('HSETNX', KEYS.first_call, 'answer', ARGV.answer)
end
if armed then return {'delivered', armed, has_ended and 'now' or nil} end
return {'open', own_url or ''}
