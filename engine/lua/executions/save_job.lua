#!lua flags=allow-oom
-- Record what a running node must not lose: the provider's job that it began, one for each item
-- of a list that it works on.
-- Called again it changes nothing.
-- KEYS: 1 execution, 2 held by this worker
-- ARGV: 1 reference, 2 claim 'fence:token', 3 node index, 4 item, 5 job as opaque bytes ('' to forget it), 6 '1'
--       when it is to be cancelled at its provider by whoever ends the execution before it has ended
-- Returns 'ok' | 'fenced' when the node is not this worker's (any more)
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
