-- Tests of a workflow, in KEYS.tests: `<name>` is the record of a test and `<name>.last` its last
-- result; `.revision` is the number of writes that changed a test. The account's quota counts the
-- records.

-- Return the names of the tests.
local function test_names()
  local names = {}
  for _, field in ipairs(redis.call('HKEYS', KEYS.tests)) do
    if not string.find(field, '.', 1, true) then names[#names + 1] = field end
  end
  return names
end

-- Return the bytes of these tests.
local function tests_bytes(names)
  local bytes = 0
  for _, name in ipairs(names) do bytes = bytes + redis.call('HSTRLEN', KEYS.tests, name) end
  return bytes
end
