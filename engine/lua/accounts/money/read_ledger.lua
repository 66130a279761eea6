#!lua flags=no-writes
-- Read the entries of an account's ledger after a position, and the sums of those that were folded.
-- After a lost reply the call is sent again.
-- KEYS: wallet, ledger
-- ARGV: after? (id of the entry before the first, absent: the oldest is the first), most (entries)
-- Returns {entries as XRANGE returns them, {'c:bucket' or 'c', sum, …}}
local first = ARGV.after == '' and '-' or '(' .. ARGV.after
local entries, sums = redis.call('XRANGE', KEYS.ledger, first, '+', 'COUNT', ARGV.most), {}
local flat = redis.call('HGETALL', KEYS.wallet)
for position = 1, #flat, 2 do
  if flat[position] == 'c' or string.sub(flat[position], 1, 2) == 'c:' then
    sums[#sums + 1], sums[#sums + 2] = flat[position], flat[position + 1]
  end
end
return {entries, sums}
