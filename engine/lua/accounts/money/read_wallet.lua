#!lua flags=allow-oom
-- Read an account's wallet, after granting a due allowance and removing lapsed credits.
-- KEYS: 1 wallet, 2 ledger
-- ARGV: 1 now (0: Redis's clock), 2 terms of `refresh_wallet`
-- Returns {credits reserved, time of the last allowance or '', then bucket and credits left}
-- Uses: read_now, next_month, wallet
local keys = {wallet = KEYS[1], ledger = KEYS[2]}
local wallet = open_wallet(keys, read_now(ARGV[1]))
refresh_wallet(wallet, ARGV[2])
if #wallet.entries > 0 or wallet.has_news then save_wallet(wallet, ARGV[2]) end
local answer = {wallet.reserved, wallet.facts.refreshed or ''}
for _, bucket in ipairs(buckets_of(wallet)) do
  answer[#answer + 1] = bucket
  answer[#answer + 1] = wallet.left[bucket]
end
return answer
