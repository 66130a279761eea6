-- Return the versions of the argument `running` as keys of a table.
local function running_versions()
  local running = {}
  for position = FIRST.running, LAST.running do running[ARGV[position]] = true end
  return running
end

-- Return whether a version may be in use by executions that began after the account's were read, or
-- by those of other accounts, which nobody looks up.
local function is_in_use(version, live, now)
  local number = tonumber(version)
  -- A version above the live one is a canary's: its executions are numbered.
  if number >= tonumber(ARGV.first_begun) and number <= live then return true end
  local run, public_run_at = unpack(redis.call('HMGET', KEYS.workflow,
    'r' .. version, 'p' .. version))
  local begun = string.match(run or '', '^b(%d+)$')
  if begun and tonumber(begun) > tonumber(ARGV.begun) then return true end
  return public_run_at and tonumber(public_run_at) > now - tonumber(ARGV.public_run_ms)
end
