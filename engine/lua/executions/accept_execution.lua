#!lua
-- Accept an execution: write its record, list it, and schedule a repeated hint. The credits that it
-- may cost are reserved, and trials are used up, in the same step. A version's run is noted, since
-- documents of versions that never ran can be removed without a search for executions; it is
-- counted, and is its workflow's last one.
-- A full Redis refuses the script as a whole. A used idempotency key changes nothing and returns
-- the first call. Called again with the same id, the script returns its first answer.
-- With the digest of an API key, its call is authorized and counted first, like count_key_call: only
-- the key and account that the caller assumes may go on, within their limit.
-- KEYS: 1 workflow, 2 execution, 3 account's executions, 4 due, 5 account's active executions,
--       6 idempotency record, 7 wallet, 8 ledger, and if any: 9 the failed execution that
--       this one retries, or, with a digest, 9 API keys, 10 accounts and 11 windows of the partition
-- ARGV: 1 now (0: Redis's clock), 2 execution id, 3 reference, 4 workflow version as `find_version`
--       takes it, 5 node statuses, 6 milliseconds until a hint is repeated, 7 limit of active
--       executions ('' none), 8 fingerprint of the body ('' without an idempotency key), 9 response if
--       already known, 10 milliseconds to keep the idempotency record, 11 credits to reserve (''
--       without charged nodes), 12 terms of `refresh_wallet`, 13 trials
--       'model=r<runs>,model=d<milliseconds>', 14 '' or, for a retry, ':' and the id of the last retry
--       if another may follow it, 15 digest of the key ('' for a call that is authorized already),
--       16 fingerprint of the assumed records, 17 bucket, 18 length of a window in milliseconds,
--       19 number of field and value words, then these, then tier and limit of every limited tier
-- Returns {'ok', created, active} | {'repeated', fingerprint, execution id, response or ''}
--         | {'stale', version} | {'unkept'} without the version's document | {'gone'}
--         | {'busy', active}
--         | {'retried', execution id} | {'unretryable', status or ''}
--         | {'poor', balance} | {'exhausted', model}
--         With a digest, this in a list of its own, or {'refused'} of another key or account, or beyond
--         the limit; followed, with a limit, by the limit, the calls in this window (one more than the
--         limit: refused), its end and now
-- Uses: read_now, owner_of_key, tier_limit, count_call, next_month, wallet, use_trials, count_run, find_version
local MOST_AT_ONCE = 1000
local FIRST_FIELD = 20
local now = read_now(ARGV[1])
local stamp = string.format('%d', now)
local last_field = FIRST_FIELD - 1 + ARGV[19]

-- Authorize and count the call. Returns whether the run may begin, and with a limit the window.
local function authorize()
  local key = redis.call('HGET', KEYS[9], ARGV[15])
  local account_id = owner_of_key(key, now)
  local account = account_id and redis.call('HGET', KEYS[10], account_id)
  if not account or redis.sha1hex(key .. account) ~= ARGV[16] then return false end
  local limit, count, ends =
    count_call(KEYS[11], account_id, account, ARGV[17], now, ARGV[18], last_field + 1)
  return not limit or count <= limit, limit, count, ends
end

local function accept()
  local created = redis.call('HGET', KEYS[2], 'created')
  local active = redis.call('SCARD', KEYS[5])
  if created then return {'ok', created, active} end
  local is_retry = ARGV[14] ~= ''

  local is_once = ARGV[8] ~= ''
  if is_once then
    local first = redis.call('HMGET', KEYS[6], 'fingerprint', 'execution', 'answer')
    if first[1] then return {'repeated', first[1], first[2], first[3] or ''} end
  end

  if is_retry then
    local retried = redis.call('HMGET', KEYS[9], 'status', 'retry')
    if retried[1] ~= 'failed' then return {'unretryable', retried[1] or ''} end
    if ':' .. (retried[2] or '') ~= ARGV[14] then return {'retried', retried[2]} end
  end

  local version, refusal = find_version({workflow = KEYS[1]}, ARGV[4])
  if refusal then return refusal end
  if ARGV[7] ~= '' and active >= tonumber(ARGV[7]) then return {'busy', active} end

  if ARGV[11] ~= '' then
    local keys = {wallet = KEYS[7], ledger = KEYS[8]}
    local wallet, credits = open_wallet(keys, now), tonumber(ARGV[11])
    refresh_wallet(wallet, ARGV[12])
    local exhausted = use_trials(wallet, ARGV[13])
    if exhausted then return {'exhausted', exhausted} end
    if wallet.balance < credits then return {'poor', wallet.balance} end
    local parts = reserve(wallet, credits, 'execution', ARGV[2])
    for position, part in ipairs(parts) do
      parts[position] = part[1] .. '=' .. string.format('%d', part[2])
    end
    redis.call('HSET', KEYS[2], 'terms', ARGV[12], 'reserve', table.concat(parts, ','))
    save_wallet(wallet, ARGV[12])
  end

  redis.call('HSET', KEYS[2], 'status', 'processing', 'version', version.number, 'statuses', ARGV[5],
    'created', stamp, unpack(ARGV, FIRST_FIELD, math.min(FIRST_FIELD + MOST_AT_ONCE - 1, last_field)))
  for first = FIRST_FIELD + MOST_AT_ONCE, last_field, MOST_AT_ONCE do
    redis.call('HSET', KEYS[2], unpack(ARGV, first, math.min(first + MOST_AT_ONCE - 1, last_field)))
  end
  redis.call('ZADD', KEYS[3], stamp, ARGV[2])
  redis.call('ZADD', KEYS[4], now + tonumber(ARGV[6]), ARGV[3])
  redis.call('SADD', KEYS[5], ARGV[2])
  note_begun({workflow = KEYS[1]}, version, version.is_counted and count_run(version.runs, now, ARGV[2]))
  if is_retry then redis.call('HSET', KEYS[9], 'retry', ARGV[2]) end
  if is_once then
    redis.call('HSET', KEYS[6], 'fingerprint', ARGV[8], 'execution', ARGV[2])
    if ARGV[9] ~= '' then redis.call('HSET', KEYS[6], 'answer', ARGV[9]) end
    redis.call('PEXPIRE', KEYS[6], ARGV[10])
  end
  return {'ok', stamp, active + 1}
end

if ARGV[15] == '' then return accept() end
local may_begin, limit, count, ends = authorize()
local verdict = may_begin and accept() or {'refused'}
if not limit then return {verdict} end
return {verdict, limit, count, ends, stamp}
