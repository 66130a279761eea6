-- Return whether an execution without a walker has nodes that wait, and nothing else to do.
local function waits_alone(statuses)
  return ARGV.shares_work ~= '1' and string.find(statuses, 'w') and not string.find(statuses, 'r')
end
