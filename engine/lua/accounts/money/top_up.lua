#!lua
-- Add credits to an account's wallet.
-- Called again for the same operation, the script changes nothing.
-- After a lost reply the call is sent again.
-- KEYS: wallet, ledger, top_up? (marker of the operation, kept as long as the ledger and a day at
--       least), audit
-- ARGV: now?, operation, credits, lapses_at (in milliseconds, 0: never), terms (of
--       `refresh_wallet`), act*6 (its after is an object to which the balance is added), reason?
--       (for readers of the ledger)
-- Returns {'ok', balance} | {'late'} when the credits have lapsed | {'many'} when the sum exceeds
--         the largest exact number
-- Uses: read_now, wallet, refresh_wallet, save_wallet, add_audit
local MOST_CREDITS = 9007199254740991
local now, credits, lapses = read_now(ARGV.now), tonumber(ARGV.credits), tonumber(ARGV.lapses_at)
if lapses > 0 and lapses <= now then return {'late'} end
local wallet = open_wallet(now)
refresh_wallet(wallet, ARGV.terms)
local bucket = 't' .. ARGV.lapses_at .. '.' .. ARGV.operation
local is_done = KEYS.top_up and redis.call('EXISTS', KEYS.top_up) == 1
if is_done or wallet.left[bucket] then return {'ok', wallet.balance} end
if wallet.balance + wallet.reserved + credits > MOST_CREDITS then return {'many'} end
local before = string.format('{"balance":%d}', wallet.balance)
local reason = ARGV.reason ~= '' and {'note', ARGV.reason} or {}
move(wallet, 'top-up', bucket, credits, 0, unpack(reason))
save_wallet(wallet, ARGV.terms)
local after = string.format('{"balance":%d,', wallet.balance) .. string.sub(ARGV[LAST.act], 2)
add_audit(now, before, after)
if KEYS.top_up then
  local keep_ms = tonumber(string.match(ARGV.terms, '^%d+:[01]:(%d+)'))
  redis.call('SET', KEYS.top_up, '1', 'PX', string.format('%d', math.max(keep_ms, 86400000)))
end
return {'ok', wallet.balance}
