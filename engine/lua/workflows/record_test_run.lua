#!lua flags=allow-oom
-- Record the end of a test run: the result of each test that is still the one that ran, and for a
-- run of a draft the verdict that a publish asks for. The run that began last counts.
-- After a lost reply the call is sent again.
-- KEYS: workflow, tests
-- ARGV: at (time in milliseconds at which it began), tested? (its verdict, which begins with `at`),
--       results... (name of each test, digest of its record, and result)
-- Returns the number of results that were recorded
local at, recorded = tonumber(ARGV.at), 0

-- Return whether there is no value of a run that began later.
local function is_newest(value)
  return not value or tonumber(string.match(value, '^(%d+):')) <= at
end

if redis.call('HEXISTS', KEYS.workflow, 'state') == 0 then return 0 end
if ARGV.tested ~= '' and is_newest(redis.call('HGET', KEYS.workflow, 'tested')) then
  redis.call('HSET', KEYS.workflow, 'tested', ARGV.tested)
end
for position = FIRST.results, LAST.results, 3 do
  local name = ARGV[position]
  local test, last = unpack(redis.call('HMGET', KEYS.tests, name, name .. '.last'))
  if test and redis.sha1hex(test) == ARGV[position + 1] and is_newest(last) then
    redis.call('HSET', KEYS.tests, name .. '.last', ARGV[position + 2])
    recorded = recorded + 1
  end
end
return recorded
