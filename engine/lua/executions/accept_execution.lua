#!lua
-- Accept an execution: write its record, list it, and schedule a repeated hint. The credits that it
-- may cost are reserved, and trials are used up, in the same step. A version's run is noted, since
-- documents of versions that never ran can be removed without a search for executions; it is
-- counted, and is its workflow's last one.
-- A full Redis refuses the script as a whole. A used idempotency key changes nothing and returns
-- the first call. Called again with the same id, the script returns its first answer.
-- With the digest of an API key, its call is authorized and counted first, like count_key_call: only
-- the key and account that the caller assumes may go on, within their limit. What the caller tells
-- of them follows from their records, which the fingerprint proves to be the assumed ones.
-- KEYS: 1 workflow, 2 execution, 3 account's executions, 4 due, 5 account's active executions; then,
--       with a digest, the API keys, the accounts, and with a limit the windows of the partition;
--       then, each if there is one, the idempotency record, the failed execution that this one
--       retries, and the wallet with its ledger
-- ARGV: 1 now (0: Redis's clock), 2 execution id, 3 reference, 4 workflow version, '' without a
--       workflow, 5 node statuses, 6 milliseconds until a hint is repeated, 7 digest of the key, ''
--       for a call that is authorized already, 8 fingerprint of the assumed records, 9 account id,
--       10 number of field and value words, then these, then options, each a name and a value:
--       'kind' of the version: '=' for one that need not be live, '~' for one of another account's
--       workflow; 'most' active executions; 'fingerprint' of the body with an idempotency key,
--       milliseconds to 'keep' its record, and its 'answer' if already known; 'retry' the id of the
--       last retry, if another may follow it, or ''; 'credits' to reserve for charged nodes, 'terms'
--       of `refresh_wallet`, 'trials' of `use_trials`; the time at which the key 'expires'; 'limit'
--       of the account's calls in a window, 'bucket' of the call, and milliseconds of a 'window'
-- Returns {'ok', created, active} | {'repeated', fingerprint, execution id, response or ''}
--         | {'stale', version} | {'no_document'} without the version's document | {'gone'}
--         | {'busy', active}
--         | {'retried', execution id} | {'unretryable', status or ''}
--         | {'insufficient', balance} | {'exhausted', model}
--         With a digest, this in a list of its own, or {'refused'} of another key or account, or
--         beyond the limit; followed, with a limit, by the limit, the calls in this window (one more
--         than the limit: refused), its end and now
-- Uses: read_now
local FIRST_FIELD, MOST_AT_ONCE = 11, 1000
local now = read_now(ARGV[1])
local last_field = FIRST_FIELD - 1 + ARGV[10]
local option = {}
for position = last_field + 1, #ARGV, 2 do option[ARGV[position]] = ARGV[position + 1] end

-- Accept the authorized call. `next_key` is the position of the first key of an option.
local function accept(next_key)
  local id, number, version, refusal = ARGV[2], ARGV[4], nil, nil
  if number ~= '' and option.kind ~= '~' then
    version = redis.call('HMGET', KEYS[1], 'version', 'state', 'r' .. number, 'runs')
    if version[1] ~= number or version[2] == 'deleted' then
      -- Uses: refuse_version
      refusal = refuse_version(KEYS[1], number, option.kind, version[1], version[2])
    end
  end
  local active = redis.call('SCARD', KEYS[5])
  if not refusal and option.most and active >= tonumber(option.most) then
    refusal = {'busy', active}
  end

  local is_once, is_retry, is_charged = option.fingerprint, option.retry, option.credits
  local is_usual = not (refusal or is_once or is_retry or is_charged)
  local once = next_key
  local retried = is_once and next_key + 1 or next_key
  if not is_usual or redis.call('ZADD', KEYS[3], 'NX', now, id) == 0 then
    local created = redis.call('HGET', KEYS[2], 'created')
    if created then return {'ok', tonumber(created), active} end
    if is_once then
      local first = redis.call('HMGET', KEYS[once], 'fingerprint', 'execution', 'answer')
      if first[1] then return {'repeated', first[1], first[2], first[3] or ''} end
    end
    if is_retry then
      local failed = redis.call('HMGET', KEYS[retried], 'status', 'retry')
      if failed[1] ~= 'failed' then return {'unretryable', failed[1] or ''} end
      if (failed[2] or '') ~= is_retry then return {'retried', failed[2]} end
    end
    if not refusal and is_charged then
      -- Uses: wallet, refresh_wallet, reserve, save_wallet, use_trials, charge
      refusal = charge({wallet = KEYS[#KEYS - 1], ledger = KEYS[#KEYS]}, now)
    end
    if refusal then return refusal end
    redis.call('ZADD', KEYS[3], now, id)
  end

  redis.call('HSET', KEYS[2], 'status', 'processing', 'version', number, 'statuses', ARGV[5],
    'created', now, unpack(ARGV, FIRST_FIELD, math.min(FIRST_FIELD + MOST_AT_ONCE - 1, last_field)))
  for first = FIRST_FIELD + MOST_AT_ONCE, last_field, MOST_AT_ONCE do
    redis.call('HSET', KEYS[2], unpack(ARGV, first, math.min(first + MOST_AT_ONCE - 1, last_field)))
  end
  redis.call('ZADD', KEYS[4], now + ARGV[6], ARGV[3])
  redis.call('SADD', KEYS[5], id)
  if version then
    -- Uses: count_run
    redis.call('HSET', KEYS[1], 'runs', count_run(version[4], now, id))
    if version[1] ~= number then
      -- A review that began before spares a version that is not live.
      local begun = redis.call('HINCRBY', KEYS[1], 'begun', 1)
      redis.call('HSET', KEYS[1], 'r' .. number, 'b' .. begun)
    elseif not version[3] then
      redis.call('HSET', KEYS[1], 'r' .. number, '1')
    end
  end
  if is_retry then redis.call('HSET', KEYS[retried], 'retry', id) end
  if is_once then
    redis.call('HSET', KEYS[once], 'fingerprint', is_once, 'execution', id)
    if option.answer then redis.call('HSET', KEYS[once], 'answer', option.answer) end
    redis.call('PEXPIRE', KEYS[once], option.keep)
  end
  return {'ok', now, active + 1}
end

if ARGV[7] == '' then return accept(6) end
local key = redis.call('HGET', KEYS[6], ARGV[7])
local account = redis.call('HGET', KEYS[7], ARGV[9])
local is_assumed = key and account and redis.sha1hex(key .. account) == ARGV[8]
if not is_assumed or (option.expires and now >= tonumber(option.expires)) then
  return {{'refused'}}
end
if not option.limit then return {accept(8)} end
-- Uses: count_call
local limit, field = tonumber(option.limit), ARGV[9] .. '|' .. option.bucket
local count, ends = count_call(KEYS[8], field, limit, now, option.window)
local verdict = count <= limit and accept(9) or {'refused'}
return {verdict, limit, count, ends, now}
