-- Schedule a look at each group of an ended execution now, so that its children are cancelled.
local function look_at_groups(now)
  local groups = redis.call('HGET', KEYS.execution, 'groups')
  local account = string.match(ARGV.reference, '^[^/]+')
  for node in string.gmatch(groups or '', '(%d+)=') do
    -- Uses: schedule_group
    schedule_group(account, ARGV.execution_id .. '/' .. node, now)
  end
end
