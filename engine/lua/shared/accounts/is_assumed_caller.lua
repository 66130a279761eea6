-- Return whether the API key of a call and its account are those that the caller assumes: their
-- fingerprint proves it, and so do the facts that the caller has told of them.
local function is_assumed_caller(now)
  local key = redis.call('HGET', KEYS.api_keys, ARGV.digest)
  local account = redis.call('HGET', KEYS.accounts, ARGV.account_id)
  if not key or not account then return false end
  if redis.sha1hex(key .. account) ~= ARGV.records_fingerprint then return false end
  return ARGV.key_expires_at == '' or now < tonumber(ARGV.key_expires_at)
end
