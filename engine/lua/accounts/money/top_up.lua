#!lua
-- Add credits to an account's wallet.
-- Called again for the same operation, the script changes nothing.
-- KEYS: 1 wallet, 2 ledger, 3 marker of the operation, kept as long as the ledger and a day at
--       least, 4 audit log
-- ARGV: 1 now (0: Redis's clock), 2 operation, 3 credits, 4 time of their lapse in milliseconds (0:
--       never), 5 terms of `refresh_wallet`, 6 to 11 the act of the
--       audit log, whose after is an object to which the balance is added, 12 a note for readers of
--       the ledger, if any
-- Returns {'ok', balance} | {'late'} when the credits have lapsed | {'many'} when the sum exceeds
--         the largest exact number
-- Uses: read_now, next_month, wallet, add_audit
local now, credits, lapses = read_now(ARGV[1]), tonumber(ARGV[3]), tonumber(ARGV[4])
if lapses > 0 and lapses <= now then return {'late'} end
local keys = {wallet = KEYS[1], ledger = KEYS[2], audit = KEYS[4]}
local wallet = open_wallet(keys, now)
refresh_wallet(wallet, ARGV[5])
local bucket = 't' .. ARGV[4] .. '.' .. ARGV[2]
local is_done = KEYS[3] and redis.call('EXISTS', KEYS[3]) == 1
if is_done or wallet.left[bucket] then return {'ok', wallet.balance} end
if wallet.balance + wallet.reserved + credits > MOST_CREDITS then return {'many'} end
local before = string.format('{"balance":%d}', wallet.balance)
local note = ARGV[12] or ''
move(wallet, 'top-up', bucket, credits, 0, unpack(note ~= '' and {'note', note} or {}))
save_wallet(wallet, ARGV[5])
local after = string.format('{"balance":%d,', wallet.balance) .. string.sub(ARGV[11] or '', 2)
add_audit(keys, now, 6, before, after)
if KEYS[3] then
  local keep = tonumber(string.match(ARGV[5], '(%d+)$'))
  redis.call('SET', KEYS[3], '1', 'PX', string.format('%d', math.max(keep, 86400000)))
end
return {'ok', wallet.balance}
