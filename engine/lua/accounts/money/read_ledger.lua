#!lua flags=no-writes
-- Read the entries of an account's ledger after a position, and the sums of those that were folded.
-- KEYS: 1 wallet, 2 ledger
-- ARGV: 1 id of the entry before the first ('' for the oldest), 2 most entries
-- Returns {entries as XRANGE returns them, {'c:bucket' or 'c', sum, …}}
local first = ARGV[1] == '' and '-' or '(' .. ARGV[1]
local entries, sums = redis.call('XRANGE', KEYS[2], first, '+', 'COUNT', ARGV[2]), {}
local flat = redis.call('HGETALL', KEYS[1])
for position = 1, #flat, 2 do
  if flat[position] == 'c' or string.sub(flat[position], 1, 2) == 'c:' then
    sums[#sums + 1], sums[#sums + 2] = flat[position], flat[position + 1]
  end
end
return {entries, sums}
