-- Wallet of an account within a script, written by `save_wallet` only. The name of a bucket tells
-- when it lapses: 'm<end>' is an allowance, 't<end>.<id>' a top-up, with the end in milliseconds
-- and 0 for never. Every movement is an entry of the ledger.
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

local function open_wallet(now)
  local wallet = {now = now, left = {}, facts = {}, removed = {}, moved = {},
    entries = {}, balance = 0}
  local flat = redis.call('HGETALL', KEYS.wallet)
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
      wallet.removed[#wallet.removed + 1] = 'b:' .. bucket
    end
  end
  return wallet
end
