#!lua flags=allow-oom
-- Note in the wallet up to which entry the ledger is in the history; only these are folded later.
-- KEYS: 1 wallet
-- ARGV: 1 id of the last archived entry
-- Returns 1 when that is news, else 0, as for an account that was erased meanwhile
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
local function parts(id)
  local at, number = string.match(id or '0-0', '^(%d+)-(%d+)$')
  return tonumber(at), tonumber(number)
end
local at, number = parts(redis.call('HGET', KEYS[1], 'archived'))
local new_at, new_number = parts(ARGV[1])
if new_at < at or (new_at == at and new_number <= number) then return 0 end
redis.call('HSET', KEYS[1], 'archived', ARGV[1])
return 1
