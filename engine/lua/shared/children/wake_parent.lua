-- Wake the parent of a child: its node need not wait any more.
-- Returns nothing, or for a parent that waits its id, a colon and the account's active executions.
local function wake_parent(now, account, parent, node)
  local status = redis.call('HGET', KEYS.parent, 'status')
  if status ~= 'processing' and status ~= 'cancel_requested' then return end
  -- Uses: wake_node
  if wake_node(now, KEYS.parent, account .. '/' .. parent, node) then
    return parent .. ':' .. redis.call('SCARD', KEYS.active)
  end
end
