#!lua flags=allow-oom
-- Save the checkpoint of a provider's job that a running node began, one for each item of its list.
-- Called again, the script changes nothing.
-- After a lost reply the call is sent again.
-- KEYS: execution, held (by this worker)
-- ARGV: reference, claim ('fence:token'), node, item, job (opaque bytes, '' to delete it),
--       must_cancel? ('1' when the job must be cancelled if the execution ends first)
-- Returns 'ok' | 'fenced' when the node is not this worker's
if redis.call('HGET', KEYS.held, ARGV.reference) ~= ARGV.claim then return 'fenced' end
local fence = string.match(ARGV.claim, '^%d+')
local claim = redis.call('HGET', KEYS.execution, 'n' .. ARGV.node)
if not claim or string.match(claim, '^(%d+):') ~= fence then return 'fenced' end
local field = 'j' .. ARGV.node .. '.' .. ARGV.item
if ARGV.job == '' then
  redis.call('HDEL', KEYS.execution, field)
else
  redis.call('HSET', KEYS.execution, field, ARGV.job)
  if ARGV.must_cancel == '1' then redis.call('HSET', KEYS.execution, 'must_cancel', '1') end
end
return 'ok'
