-- Add the entry of a step before it takes effect: each settled node with its code and the one
-- before, each retrying node with the failed attempt and the pause, each claimed node with its
-- attempt. The attempt at a node that has waited is not a new one.
local function step_events(codes, rows_field)
  local WAITING = string.byte('w')
  local settled = string.gsub(ARGV.settled, '(%d+)(%a)', function(index, code)
    return index .. code .. string.char(codes[index + 1])
  end)
  local retrying = string.gsub(ARGV.retrying, '(%d+)=%f[%d]', function(index)
    return index .. '=' .. claim_of(index)[2] .. ':'
  end)
  local claimed = string.gsub(ARGV.claimed, '%d+', function(index)
    if codes[index + 1] == WAITING then return '' end
    return index .. '=' .. (claim_of(index)[2] + 1)
  end)
  if settled .. retrying .. claimed == '' then return end
  add_event(KEYS.execution, KEYS.events, 'settled', settled, 'retrying', retrying,
    'claimed', claimed, 'rows', rows_field)
end
