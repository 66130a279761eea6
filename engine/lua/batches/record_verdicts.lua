#!lua flags=allow-oom
-- Record verdicts on items of a replay or of a test run. The first verdict on an item stays. Field
-- `verdicts` has a code per item, '-' without a verdict.
-- After a lost reply the call is sent again.
-- KEYS: batch
-- ARGV: has_objects? ('1' when verdicts are objects), verdicts... (three words each: item, counted
--       from 0; code, a letter; packed verdict or name of its object)
-- Returns the codes of all items, or '' without such a list
-- Uses: item_states
local states, codes = unpack(redis.call('HMGET', KEYS.batch, 'states', 'verdicts'))
if not states then return '' end
codes = codes or string.rep('-', #states)
for position = FIRST.verdicts, LAST.verdicts, 3 do
  local item = ARGV[position]
  if string.sub(codes, item + 1, item + 1) == '-' then
    codes = with_state(codes, item, ARGV[position + 1])
    redis.call('HSET', KEYS.batch, 'v' .. item, ARGV[position + 2])
  end
end
redis.call('HSET', KEYS.batch, 'verdicts', codes)
if ARGV.has_objects == '1' then redis.call('HSET', KEYS.batch, 'has_objects', '1') end
return codes
