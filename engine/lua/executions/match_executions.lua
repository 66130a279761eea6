#!lua flags=no-writes
-- Find the executions with a status, a workflow or a model. One of another account's workflow has no
-- model that its caller may know.
-- KEYS: 1 and on, executions
-- ARGV: 1 status, 2 workflow's slug, 3 model's internal name (each '' for any)
-- Returns the matching positions in KEYS
local found = {}
local model = ',' .. ARGV[3] .. ','
for position = 1, #KEYS do
  local head = redis.call('HMGET', KEYS[position], 'status', 'slug', 'models', 'owner')
  local is_wanted = head[1] and (ARGV[1] == '' or head[1] == ARGV[1])
    and (ARGV[2] == '' or head[2] == ARGV[2])
    and (ARGV[3] == ''
      or not head[4] and string.find(',' .. (head[3] or '') .. ',', model, 1, true))
  if is_wanted then found[#found + 1] = position end
end
return found
