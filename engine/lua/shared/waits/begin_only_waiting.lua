-- Move an execution out of the active ones if nothing of it is left but waits: those of its own
-- nodes, and those of children.
local function begin_only_waiting(record, now)
  local status, statuses, holders, waited, children, only, release = unpack(redis.call(
    'HMGET', record, 'status', 'statuses', 'holders', 'waited', 'children_running', 'only_waits',
    'release'))
  if not waited or only or status ~= 'processing' or tonumber(holders or '0') > 0 then return end
  if tonumber(children or '0') > 0 or not string.find(statuses, 'w') then return end
  if string.find(statuses, '[rt]') then return end
  -- Uses: only_waiting
  if redis.call('SREM', KEYS.active, string.match(record, '[^:]+$')) == 0 then return end
  redis.call('HSET', record, 'only_waits', release and string.format('%d', now) or '1')
  count_waiting_item(record, 1)
end
