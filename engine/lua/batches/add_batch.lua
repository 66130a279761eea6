#!lua
-- Accept a batch: write its record with all items queued, list it, and schedule its first look. A
-- full Redis refuses the script as a whole. A used idempotency key changes nothing and returns the
-- first call; so does a former batch that has been retried. Called again with the same id, the
-- script returns its first answer.
-- After a lost reply the call is sent again.
-- KEYS: batch, batches (of the account), account_items, open_batches (of the account), batches_due,
--       first_call? (of the idempotency key), former? (batch that this one retries), workflow? (of
--       the account itself, to keep its version), webhook? (the batch's own)
-- ARGV: now?, id, account_id, size (items), most_queued (items of the account), most_lists? (of
--       the account that are not over: it is a replay or a test run), body_fingerprint?,
--       first_call_ms?, answer? (to the first call), version, webhook_url?, webhook_secret?
--       (sealed), webhook_signer? (API key whose webhook's secrets sign without one), fields...
--       (names and values of the record)
-- Returns {'ok', created} | {'repeated', fingerprint, id, answer or ''} | {'full', queued}
--         | {'full_lists', count} | {'gone'} | {'no_document'} without the workflow or its version
--         | {'retried', id} | {'unretryable'} when the former batch goes on or is gone
-- Uses: read_now, schedule_batch
local now = read_now(ARGV.now)

local created = redis.call('HGET', KEYS.batch, 'created')
if created then return {'ok', tonumber(created)} end
if KEYS.first_call then
  local first = redis.call('HMGET', KEYS.first_call, 'fingerprint', 'execution', 'answer')
  if first[1] then return {'repeated', first[1], first[2], first[3] or ''} end
end
if KEYS.former then
  local former = redis.call('HMGET', KEYS.former, 'status', 'retry')
  if former[2] then return {'retried', former[2]} end
  if former[1] ~= 'completed' and former[1] ~= 'cancelled' then return {'unretryable'} end
end
if KEYS.workflow then
  local state, document = unpack(redis.call('HMGET', KEYS.workflow, 'state', 'd' .. ARGV.version))
  if not state or state == 'deleted' then return {'gone'} end
  if not document then return {'no_document'} end
end
local queued = tonumber(redis.call('HGET', KEYS.account_items, 'queued') or '0')
if queued + tonumber(ARGV.size) > tonumber(ARGV.most_queued) then return {'full', queued} end
if ARGV.most_lists ~= '' then
  local lists = tonumber(redis.call('HGET', KEYS.account_items, 'lists') or '0')
  if lists >= tonumber(ARGV.most_lists) then return {'full_lists', lists} end
  redis.call('HINCRBY', KEYS.account_items, 'lists', 1)
end

redis.call('HSET', KEYS.batch, 'status', 'processing', 'created', now, 'size', ARGV.size,
  'states', string.rep('q', tonumber(ARGV.size)))
for first = FIRST.fields, LAST.fields, 1000 do
  redis.call('HSET', KEYS.batch, unpack(ARGV, first, math.min(first + 999, LAST.fields)))
end
redis.call('HINCRBY', KEYS.account_items, 'queued', ARGV.size)
redis.call('ZADD', KEYS.batches, now, ARGV.id)
schedule_batch(ARGV.account_id, ARGV.id, now)
if KEYS.workflow then
  -- A review that began before spares the version.
  local begun = redis.call('HINCRBY', KEYS.workflow, 'begun', 1)
  redis.call('HSET', KEYS.workflow, 'r' .. ARGV.version, 'b' .. begun)
end
if KEYS.webhook then
  -- Uses: open_batch_webhook
  open_batch_webhook(now)
end
if KEYS.former then redis.call('HSET', KEYS.former, 'retry', ARGV.id) end
if KEYS.first_call then
  redis.call('HSET', KEYS.first_call, 'fingerprint', ARGV.body_fingerprint, 'execution', ARGV.id)
  if ARGV.answer ~= '' then redis.call('HSET', KEYS.first_call, 'answer', ARGV.answer) end
  redis.call('PEXPIRE', KEYS.first_call, ARGV.first_call_ms)
end
return {'ok', now}
