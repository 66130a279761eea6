-- Add the deliveries of the nodes that a step settles, with the credits that the execution has cost
-- so far.
local function add_node_deliveries(now, spent)
  for position = FIRST.node_deliveries, LAST.node_deliveries do
    local facts = ARGV[FIRST.node_facts + position - FIRST.node_deliveries]
    add_event_delivery(KEYS.execution, KEYS[position], 'node.finished', now, 'node', facts,
      'spent', spent)
  end
end
