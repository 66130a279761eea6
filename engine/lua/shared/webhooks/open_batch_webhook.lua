-- Write the webhook of an accepted batch. Without a secret, the secrets of the webhook of the
-- batch's API key sign. Its one delivery is that of the batch's end, with which it is removed.
local function open_batch_webhook(now)
  local is_sealed = ARGV.webhook_secret ~= ''
  redis.call('HSET', KEYS.webhook, 'url', ARGV.webhook_url, 'enabled', '1', 'reason', '',
    'created', string.format('%d', now), 'pending', '1', 'ended', '1', 'format', 2,
    is_sealed and 'secret' or 'signer', is_sealed and ARGV.webhook_secret or ARGV.webhook_signer)
end
