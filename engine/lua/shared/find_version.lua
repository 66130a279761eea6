-- Version that an execution begins with. `wanted` is the live version, '=' and a version that need
-- not be live, '~' and that of a workflow of another account, or '' without a workflow.

-- Return the version, or nothing and the refusal.
local function find_version(keys, wanted)
  local kind, number = string.match(wanted, '^([=~]?)(%d*)$')
  local version = {number = number, is_live = true, is_noted = true}
  if number == '' or kind == '~' then return version end
  local head = redis.call('HMGET', keys.workflow, 'version', 'state', 'r' .. number, 'runs')
  if not head[1] or head[2] == 'deleted' then return nil, {'gone'} end
  version.is_live, version.is_noted = head[1] == number, head[3]
  version.is_counted, version.runs = true, head[4]
  if version.is_live then return version end
  if kind == '' then return nil, {'stale', head[1]} end
  if redis.call('HEXISTS', keys.workflow, 'd' .. number) == 0 then return nil, {'unkept'} end
  return version
end

-- Note that the version runs. A review that began before spares one that is not live. `runs` is the
-- new count of its workflow's runs, if they are counted.
local function note_begun(keys, version, runs)
  if runs then redis.call('HSET', keys.workflow, 'runs', runs) end
  if not version.is_live then
    local begun = redis.call('HINCRBY', keys.workflow, 'begun', 1)
    redis.call('HSET', keys.workflow, 'r' .. version.number, 'b' .. begun)
  elseif not version.is_noted then
    redis.call('HSET', keys.workflow, 'r' .. version.number, '1')
  end
end
