#!lua
-- Record that an execution of another account is about to begin with the live version, so that its
-- document is kept. The execution itself is in the slot of that account.
-- After a lost reply the call is sent again.
-- KEYS: workflow
-- ARGV: now?, version, is_kept? ('1': it need not be live, but an earlier call has kept it),
--       is_called? ('1': it need not be live, as a public workflow of its account calls it)
-- Returns 'ok' | 'stale' when another version is live | 'gone'
-- Uses: read_now
local now = read_now(ARGV.now)
local head = redis.call('HMGET', KEYS.workflow, 'version', 'state')
if not head[1] or head[2] == 'deleted' then return 'gone' end
if ARGV.is_called == '1' then
  if redis.call('HEXISTS', KEYS.workflow, 'd' .. ARGV.version) == 0 then return 'gone' end
elseif ARGV.is_kept == '1' then
  local kept = redis.call('HMGET', KEYS.workflow, 'd' .. ARGV.version, 'p' .. ARGV.version)
  if not kept[1] or not kept[2] then return 'gone' end
elseif head[1] ~= ARGV.version then
  return 'stale'
end
redis.call('HSET', KEYS.workflow, 'r' .. ARGV.version, '1',
  'p' .. ARGV.version, string.format('%d', now))
return 'ok'
