-- Move the nodes of a step in `codes`, remove the claims of those that have settled, and write
-- those of nodes that retry or wait.
-- Returns the statuses, the fields and values of the step and of the claims of nodes that run, and
-- 'woken' when a node was to wait whose wait is over.
local function move_nodes(codes, fence, now, rows_field)
  local PENDING, RUNNING, RETRYING, WAITING = string.byte('prtw', 1, 4)
  local was_claimed, fields, woken = {}, {'step' .. fence, ARGV.step}, nil
  local function write(field, value)
    fields[#fields + 1] = field
    fields[#fields + 1] = value
  end
  for index, code in string.gmatch(ARGV.settled, '(%d+)(%a)') do
    if codes[index + 1] ~= PENDING then was_claimed[#was_claimed + 1] = 'n' .. index end
    codes[index + 1] = string.byte(code)
  end
  if #was_claimed > 0 then redis.call('HDEL', KEYS.execution, unpack(was_claimed)) end
  if ARGV.retrying ~= '' then
    for index, at in string.gmatch(ARGV.retrying, '(%d+)=w(%d+)') do
      -- Uses: park_node
      woken = park_node(index, at, now) or woken
      codes[index + 1] = WAITING
    end
    for index, delay in string.gmatch(ARGV.retrying, '(%d+)=(%d+)') do
      local claim = claim_of(index)
      redis.call('HSET', KEYS.execution, 'n' .. index,
        string.format('0:%s:%d:%s', claim[2], now + tonumber(delay), claim[4]))
      codes[index + 1] = RETRYING
    end
  end
  if ARGV.claimed ~= '' then
    local stamp = string.format('%d', now)
    for index in string.gmatch(ARGV.claimed, '%d+') do
      local claim = claim_of(index)
      write('n' .. index, fence .. ':' .. (claim[2] + 1) .. ':' .. stamp .. ':' .. claim[4])
      codes[index + 1] = RUNNING
    end
  end
  if ARGV.rows ~= '' then write(rows_field, ARGV.rows) end
  if ARGV.outputs ~= '' then write('o' .. fence .. '.' .. ARGV.step, ARGV.outputs) end
  if ARGV.has_objects == '1' then write('has_objects', '1') end
  return string.char(unpack(codes)), fields, woken
end
