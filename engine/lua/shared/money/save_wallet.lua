local MOST_FOLDED = 1000

-- Fold entries older than the terms keep them into carried sums, twice as fast as new ones are
-- added.
-- Where there is a history, only entries that it has are folded.
local function fold_ledger(wallet, terms)
  local keep_ms, is_alone = string.match(terms, '^%d+:[01]:(%d+):?(1?)$')
  local archived = wallet.facts.archived
  if not archived and is_alone ~= '1' then return end
  local before = string.format('%d', math.max(0, wallet.now - keep_ms - 1))
  if archived and tonumber(string.match(archived, '^%d+')) <= tonumber(before) then
    before = archived
  end
  local count = math.min(2 * #wallet.entries, MOST_FOLDED)
  local old = redis.call('XRANGE', KEYS.ledger, '-', before, 'COUNT', count)
  local carried, ids = {}, {}
  for _, entry in ipairs(old) do
    local fields = {}
    for position = 1, #entry[2], 2 do fields[entry[2][position]] = entry[2][position + 1] end
    local bucket = 'c:' .. fields.bucket
    carried[bucket] = (carried[bucket] or 0) + fields.credits
    carried.c = (carried.c or 0) + fields.reserved
    ids[#ids + 1] = entry[1]
  end
  if #ids == 0 then return end
  for field, credits in pairs(carried) do
    local sum = redis.call('HINCRBY', KEYS.wallet, field, string.format('%d', credits))
    if sum == 0 then redis.call('HDEL', KEYS.wallet, field) end
  end
  redis.call('XDEL', KEYS.ledger, unpack(ids))
end

-- Write the wallet and its new entries.
local function save_wallet(wallet, terms)
  wallet.facts.reserved = string.format('%d', wallet.reserved)
  local fields = {}
  for field, value in pairs(wallet.facts) do
    if string.sub(field, 1, 2) ~= 'c:' and field ~= 'c' then
      fields[#fields + 1] = field
      fields[#fields + 1] = value
    end
  end
  for _, field in ipairs(wallet.removed) do redis.call('HDEL', KEYS.wallet, field) end
  for bucket in pairs(wallet.moved) do
    local left, field = wallet.left[bucket], 'b:' .. bucket
    if left == 0 and string.sub(bucket, 1, 1) == 't' then
      redis.call('HDEL', KEYS.wallet, field) -- spent top-ups would accumulate
    elseif left then
      redis.call('HSET', KEYS.wallet, field, string.format('%d', left))
    end
  end
  redis.call('HSET', KEYS.wallet, unpack(fields))
  for _, entry in ipairs(wallet.entries) do
    redis.call('XADD', KEYS.ledger, '*', unpack(entry))
  end
  if #wallet.entries > 0 then fold_ledger(wallet, terms) end
end
