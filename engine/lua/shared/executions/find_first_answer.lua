-- Return the answer that an execution to accept, its idempotency key, its event or the failed
-- execution that it retries has been given before; nil for none.
local function find_first_answer(active)
  local created = redis.call('HGET', KEYS.execution, 'created')
  if created then return {'ok', tonumber(created), active} end
  if KEYS.first_call then
    local first = redis.call('HMGET', KEYS.first_call, 'fingerprint', 'execution', 'answer')
    if first[1] then return {'repeated', first[1], first[2], first[3] or ''} end
  end
  if KEYS.event then
    local first = redis.call('GET', KEYS.event)
    if first then return {'known', first} end
  end
  if KEYS.failed then
    local failed = redis.call('HMGET', KEYS.failed, 'status', 'retry')
    if failed[1] ~= 'failed' then return {'unretryable', failed[1] or ''} end
    if (failed[2] or '') ~= ARGV.former_retry then return {'retried', failed[2]} end
  end
end
