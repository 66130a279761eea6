#!lua flags=allow-oom
-- Save the checkpoint of a provider's job that a running node began, one for each item of its list.
-- Called again, the script changes nothing.
-- KEYS: 1 execution, 2 held by this worker
-- ARGV: 1 reference, 2 claim 'fence:token', 3 node index, 4 item, 5 job as opaque bytes ('' to
--       delete it), 6 '1' when the job must be cancelled if the execution ends first
-- Returns 'ok' | 'fenced' when the node is not this worker's
if redis.call('HGET', KEYS[2], ARGV[1]) ~= ARGV[2] then return 'fenced' end
local fence = string.match(ARGV[2], '^%d+')
local claim = redis.call('HGET', KEYS[1], 'n' .. ARGV[3])
if not claim or string.match(claim, '^(%d+):') ~= fence then return 'fenced' end
local field = 'j' .. ARGV[3] .. '.' .. ARGV[4]
if ARGV[5] == '' then
  redis.call('HDEL', KEYS[1], field)
else
  redis.call('HSET', KEYS[1], field, ARGV[5])
  if ARGV[6] == '1' then redis.call('HSET', KEYS[1], 'begun', '1') end
end
return 'ok'
