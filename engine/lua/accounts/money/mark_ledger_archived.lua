#!lua flags=allow-oom
-- Record in the wallet the last entry of the ledger that is in the history; only entries up to it
-- are folded later.
-- KEYS: wallet
-- ARGV: entry (id of the last archived one)
-- Returns 1 when that is news, else 0, as for an account that was erased meanwhile
if redis.call('EXISTS', KEYS.wallet) == 0 then return 0 end
local function parts(id)
  local at, number = string.match(id or '0-0', '^(%d+)-(%d+)$')
  return tonumber(at), tonumber(number)
end
local at, number = parts(redis.call('HGET', KEYS.wallet, 'archived'))
local new_at, new_number = parts(ARGV.entry)
if new_at < at or (new_at == at and new_number <= number) then return 0 end
redis.call('HSET', KEYS.wallet, 'archived', ARGV.entry)
return 1
