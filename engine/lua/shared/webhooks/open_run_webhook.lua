-- Write the webhook of an accepted run. Without a secret, the secrets of the webhook of the run's
-- API key sign its deliveries. `pending` counts its deliveries that have not ended. `may_approve`
-- is there when it gets the links of approvals.
local function open_run_webhook(now)
  local run = redis.call('HMGET', KEYS.execution, 'webhook_url', 'key')
  if ARGV.may_approve == '1' then redis.call('HSET', KEYS.run_webhook, 'may_approve', '1') end
  local is_sealed = ARGV.webhook_secret ~= ''
  redis.call('HSET', KEYS.run_webhook, 'url', run[1], 'enabled', '1', 'reason', '',
    'created', string.format('%d', now), 'pending', '0', 'format', 2,
    is_sealed and 'secret' or 'signer', is_sealed and ARGV.webhook_secret or run[2])
end
