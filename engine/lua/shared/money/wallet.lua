-- Wallet of an account within a script, written by `save_wallet` only. The name of a bucket tells
-- when it lapses: 'm<end>' is an allowance, 't<end>.<id>' a top-up, with the end in milliseconds
-- and 0 for never. Every movement is an entry of the ledger.
local MOST_CREDITS = 9007199254740991
local MOST_FOLDED = 1000

local function lapses_at(bucket)
  local at = tonumber(string.match(bucket, '^%a(%d+)'))
  return at > 0 and at or math.huge
end

-- Allowances come before top-ups, then the earliest lapse first.
local function is_before(one, other)
  local kind, other_kind = string.byte(one), string.byte(other)
  if kind ~= other_kind then return kind < other_kind end
  local at, other_at = lapses_at(one), lapses_at(other)
  if at ~= other_at then return at < other_at end
  return one < other
end

local function buckets_of(wallet)
  local names = {}
  for name in pairs(wallet.left) do names[#names + 1] = name end
  table.sort(names, is_before)
  return names
end

local function move(wallet, kind, bucket, credits, reserved, ...)
  if credits ~= 0 then
    wallet.left[bucket] = (wallet.left[bucket] or 0) + credits
    wallet.moved[bucket] = true
  end
  wallet.balance = wallet.balance + credits
  wallet.reserved = wallet.reserved + reserved
  if credits ~= 0 or reserved ~= 0 then
    local whole = string.format
    wallet.entries[#wallet.entries + 1] = {
      'kind', kind, 'bucket', bucket, 'credits', whole('%d', credits),
      'reserved', whole('%d', reserved), 'balance', whole('%d', wallet.balance), ...}
  end
end

-- `keys` are those of the wallet and of the ledger.
local function open_wallet(keys, now)
  local wallet = {keys = keys, now = now, left = {}, facts = {}, gone = {}, moved = {},
    entries = {}, balance = 0}
  local flat = redis.call('HGETALL', keys.wallet)
  for position = 1, #flat, 2 do
    local bucket = string.match(flat[position], '^b:(.+)$')
    if bucket then
      wallet.left[bucket] = tonumber(flat[position + 1])
      wallet.balance = wallet.balance + wallet.left[bucket]
    else
      wallet.facts[flat[position]] = flat[position + 1]
    end
  end
  wallet.reserved = tonumber(wallet.facts.reserved or '0')
  for _, bucket in ipairs(buckets_of(wallet)) do
    if lapses_at(bucket) <= now then
      move(wallet, 'lapse', bucket, -wallet.left[bucket], 0)
      wallet.left[bucket] = nil
      wallet.gone[#wallet.gone + 1] = 'b:' .. bucket
    end
  end
  return wallet
end

-- Grant a due allowance, and adjust it to a changed tier: the amount granted in this month counts,
-- less the amount taken back. `terms` are 'allowance:once:milliseconds to keep the ledger', and end
-- with ':1' where there is no history; once is 1 for a single grant.
local function refresh_wallet(wallet, terms)
  local allowance, once = string.match(terms, '^(%d+):([01])')
  allowance, once = tonumber(allowance), once == '1'
  local facts, given, ends = wallet.facts, tonumber(wallet.facts.given), tonumber(wallet.facts.ends)
  wallet.has_news = facts.terms ~= terms
  facts.terms = terms
  local is_over = ends and ends > 0 and ends <= wallet.now
  if given and not is_over and given == allowance and once == (ends == 0) then return end
  local month_ends = once and 0 or next_month(wallet.now)
  if not given or (is_over and not once) then
    given, ends = allowance, month_ends
    move(wallet, 'allowance', 'm' .. string.format('%d', ends), allowance, 0)
    facts.refreshed = string.format('%d', wallet.now)
  else
    local old = 'm' .. string.format('%d', ends)
    local left = wallet.left[old] or 0
    if once or ends == 0 then ends = month_ends end
    local new = 'm' .. string.format('%d', ends)
    local fitted = math.max(0, left + allowance - given)
    given = is_over and allowance or given + fitted - left
    if old ~= new then
      move(wallet, 'tier', old, -left, 0)
      left = 0
      wallet.left[old] = nil
      wallet.gone[#wallet.gone + 1] = 'b:' .. old
    end
    move(wallet, 'tier', new, fitted - left, 0)
  end
  given, ends = string.format('%d', given), string.format('%d', ends)
  wallet.has_news = wallet.has_news or facts.given ~= given or facts.ends ~= ends
  facts.given, facts.ends = given, ends
end

-- Reserve credits in spending order and return {bucket, credits} pairs. The caller has checked the
-- balance.
local function reserve(wallet, credits, ...)
  local parts = {}
  for _, bucket in ipairs(buckets_of(wallet)) do
    local part = math.min(credits, wallet.left[bucket])
    if part > 0 then
      move(wallet, 'reserve', bucket, -part, part, ...)
      parts[#parts + 1] = {bucket, part}
      credits = credits - part
    end
  end
  return parts
end

-- Fold entries older than the terms keep them into carried sums, twice as fast as new ones are added.
-- Where there is a history, only entries that it has are folded.
local function fold_ledger(wallet, terms)
  local keep_ms, is_alone = string.match(terms, '^%d+:[01]:(%d+):?(1?)$')
  local keys, archived = wallet.keys, wallet.facts.archived
  if not archived and is_alone ~= '1' then return end
  local before = string.format('%d', math.max(0, wallet.now - keep_ms - 1))
  if archived and tonumber(string.match(archived, '^%d+')) <= tonumber(before) then
    before = archived
  end
  local count = math.min(2 * #wallet.entries, MOST_FOLDED)
  local old = redis.call('XRANGE', keys.ledger, '-', before, 'COUNT', count)
  local carried, ids = {}, {}
  for _, entry in ipairs(old) do
    local of = {}
    for position = 1, #entry[2], 2 do of[entry[2][position]] = entry[2][position + 1] end
    local bucket = 'c:' .. of.bucket
    carried[bucket] = (carried[bucket] or 0) + of.credits
    carried.c = (carried.c or 0) + of.reserved
    ids[#ids + 1] = entry[1]
  end
  if #ids == 0 then return end
  for field, credits in pairs(carried) do
    local sum = redis.call('HINCRBY', keys.wallet, field, string.format('%d', credits))
    if sum == 0 then redis.call('HDEL', keys.wallet, field) end
  end
  redis.call('XDEL', keys.ledger, unpack(ids))
end

local function save_wallet(wallet, terms)
  local keys = wallet.keys
  wallet.facts.reserved = string.format('%d', wallet.reserved)
  local fields = {}
  for field, value in pairs(wallet.facts) do
    if string.sub(field, 1, 2) ~= 'c:' and field ~= 'c' then
      fields[#fields + 1] = field
      fields[#fields + 1] = value
    end
  end
  for _, field in ipairs(wallet.gone) do redis.call('HDEL', keys.wallet, field) end
  for bucket in pairs(wallet.moved) do
    local left, field = wallet.left[bucket], 'b:' .. bucket
    if left == 0 and string.sub(bucket, 1, 1) == 't' then
      redis.call('HDEL', keys.wallet, field) -- spent top-ups would accumulate
    elseif left then
      redis.call('HSET', keys.wallet, field, string.format('%d', left))
    end
  end
  redis.call('HSET', keys.wallet, unpack(fields))
  for _, entry in ipairs(wallet.entries) do
    redis.call('XADD', keys.ledger, '*', unpack(entry))
  end
  if #wallet.entries > 0 then fold_ledger(wallet, terms) end
end
