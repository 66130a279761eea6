#!lua flags=allow-oom
-- Read an account's wallet, after granting a due allowance and removing lapsed credits.
-- After a lost reply the call is sent again.
-- KEYS: wallet, ledger
-- ARGV: now?, terms (of `refresh_wallet`)
-- Returns {credits reserved, time of the last allowance or '', then bucket and credits left}
-- Uses: read_now, wallet, refresh_wallet
local wallet = open_wallet(read_now(ARGV.now))
refresh_wallet(wallet, ARGV.terms)
if #wallet.entries > 0 or wallet.has_changed then
  -- Uses: save_wallet
  save_wallet(wallet, ARGV.terms)
end
local answer = {wallet.reserved, wallet.facts.refreshed or ''}
for _, bucket in ipairs(buckets_of(wallet)) do
  answer[#answer + 1] = bucket
  answer[#answer + 1] = wallet.left[bucket]
end
return answer
