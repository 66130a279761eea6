-- Versions of a workflow. Fields of the workflow's record: `d<version>` is the document,
-- `m<version>` its time in milliseconds, a colon and its facts, and `r<version>` exists once the
-- version has run; `p<version>` is the time in milliseconds at which another account last began to
-- run it. `begun` is the number of executions that have begun with a version that was not live, and
-- `r<version>` is then 'b' and the number of the last one. Fields of the names' record:
-- `v<version>` is the digest of the nodes' names, followed after the document's removal by a colon
-- and its time in milliseconds; `n<digest>` is the names, and `c<digest>` the number of versions
-- that use them.
local function remove_names(version)
  local named = redis.call('HGET', KEYS.node_names, 'v' .. version)
  if not named then return end
  local digest = string.match(named, '^[^:]+')
  redis.call('HDEL', KEYS.node_names, 'v' .. version)
  if redis.call('HINCRBY', KEYS.node_names, 'c' .. digest, -1) > 0 then return end
  count_documents(-redis.call('HSTRLEN', KEYS.node_names, 'n' .. digest), 0)
  redis.call('HDEL', KEYS.node_names, 'n' .. digest, 'c' .. digest)
end

-- Return the bytes of a version's document and facts.
local function version_bytes(version)
  return redis.call('HSTRLEN', KEYS.workflow, 'd' .. version)
    + redis.call('HSTRLEN', KEYS.workflow, 'm' .. version)
end

-- Remove the document of a version. The names of its nodes stay for readable executions.
local function remove_version(version, now)
  count_documents(-version_bytes(version), 0)
  local was_run = redis.call('HEXISTS', KEYS.workflow, 'r' .. version) == 1
  redis.call('HDEL', KEYS.workflow, 'd' .. version, 'm' .. version, 'r' .. version,
    'p' .. version)
  if not was_run then return remove_names(version) end
  local digest = redis.call('HGET', KEYS.node_names, 'v' .. version)
  if digest then
    redis.call('HSET', KEYS.node_names, 'v' .. version, digest .. ':' .. string.format('%d', now))
  end
end
