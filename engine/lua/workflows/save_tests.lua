#!lua
-- Write tests of a workflow within the quota of the account's tier: those that are named, or in
-- place of all that it has. Tests that stay as they are keep their last result, and the revision
-- grows only if one changes.
-- After a lost reply the call is sent again.
-- KEYS: workflow, tests, documents, accounts
-- ARGV: account, replaces? ('1': tests that are not named go), most (tests),
--       written... (name and record of each),
--       limits... (tier and 'workflows:bytes' of every tier, each empty without a limit)
-- Returns {'ok', revision} | {'gone'} | {'full', 'tests' or 'bytes', used, limit}
-- Uses: count_documents, document_limits, tests
local state = redis.call('HGET', KEYS.workflow, 'state')
if not state or state == 'deleted' then return {'gone'} end

local written, removed, changed = {}, {}, {}
local number, more = 0, 0
for position = FIRST.written, LAST.written, 2 do
  local name, record = ARGV[position], ARGV[position + 1]
  written[name] = true
  number = number + 1
  if redis.call('HGET', KEYS.tests, name) ~= record then
    changed[#changed + 1] = position
    more = more + #record - redis.call('HSTRLEN', KEYS.tests, name)
  end
end
for _, name in ipairs(test_names()) do
  if not written[name] and ARGV.replaces == '1' then
    removed[#removed + 1] = name
  elseif not written[name] then
    number = number + 1
  end
end
more = more - tests_bytes(removed)
if number > tonumber(ARGV.most) then return {'full', 'tests', #test_names(), ARGV.most} end
local refusal = document_limits(more, false)
if refusal then return refusal end

for _, position in ipairs(changed) do
  redis.call('HSET', KEYS.tests, ARGV[position], ARGV[position + 1])
  redis.call('HDEL', KEYS.tests, ARGV[position] .. '.last')
end
for _, name in ipairs(removed) do redis.call('HDEL', KEYS.tests, name, name .. '.last') end
count_documents(more, 0)
if #changed + #removed > 0 then redis.call('HINCRBY', KEYS.tests, '.revision', 1) end
return {'ok', redis.call('HGET', KEYS.tests, '.revision') or '0'}
