#!lua
-- Read an API key and its account by the digest of the secret, as authorize_key does, and count the
-- call in the account's window when its tier has a limit. A call beyond the limit changes nothing.
-- A call that may go on and whose records are those the caller assumes leaves a pass, which lets a
-- script behind it in the same pipeline go on.
-- KEYS: 1 API keys of the partition, 2 accounts of the partition, 3 windows of the partition, 4 pass
-- ARGV: 1 now (0: Redis's clock), 2 digest, 3 bucket, 4 length of a window in milliseconds,
--       5 fingerprint of the assumed records ('' for no pass), 6 milliseconds that a pass is good
--       for, then tier and limit of every tier that has one
-- Returns {key record, account record} and behind it, when there is a limit, the limit, calls in
--         this window (one more than the limit: refused), its end and now | false
local now = tonumber(ARGV[1])
if now == 0 then
  local time = redis.call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000)
end

local key = redis.call('HGET', KEYS[1], ARGV[2])
if not key then return false end
local account_id = string.match(key, '^([^|]+)|')
local account = redis.call('HGET', KEYS[2], account_id)
if not account then return false end

local function pass()
  if ARGV[5] ~= '' and redis.sha1hex(key .. account) == ARGV[5] then
    redis.call('SET', KEYS[4], '1', 'PX', ARGV[6])
  end
end

local tier, limit = string.match(account, '^([^|]+)|'), nil
for position = 7, #ARGV, 2 do
  if ARGV[position] == tier then limit = tonumber(ARGV[position + 1]) end
end
if not limit then
  pass()
  return {key, account}
end

local ends = string.format('%d', (math.floor(now / ARGV[4]) + 1) * ARGV[4])
local field = account_id .. '|' .. ARGV[3]
local window, count = string.match(redis.call('HGET', KEYS[3], field) or '', '^(%d+):(%d+)$')
count = (window == ends and tonumber(count) or 0) + 1
if count <= limit then
  redis.call('HSET', KEYS[3], field, ends .. ':' .. count)
  if count == 1 then redis.call('PEXPIRE', KEYS[3], 2 * ARGV[4]) end
  pass()
end
return {key, account, limit, math.min(count, limit + 1), ends, string.format('%d', now)}
