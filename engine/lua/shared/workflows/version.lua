-- Versions of a workflow. Fields of the workflow's record: `d<version>` is the document,
-- `m<version>` its time in milliseconds, a colon and its facts, and `r<version>` exists once the
-- version has run; `p<version>` is the time in milliseconds at which another account last began to
-- run it. `begun` is the number of executions that have begun with a version that was not live, and
-- `r<version>` is then 'b' and the number of the last one. Fields of the names' record: `v<version>`
-- is the digest of the nodes' names,
-- followed after the document's removal by a colon and its time in milliseconds; `n<digest>` is the
-- names, and `c<digest>` the number of versions that use them.
local function remove_names(keys, version)
  local named = redis.call('HGET', keys.names, 'v' .. version)
  if not named then return end
  local digest = string.match(named, '^[^:]+')
  redis.call('HDEL', keys.names, 'v' .. version)
  if redis.call('HINCRBY', keys.names, 'c' .. digest, -1) > 0 then return end
  count_documents(keys, -redis.call('HSTRLEN', keys.names, 'n' .. digest), 0)
  redis.call('HDEL', keys.names, 'n' .. digest, 'c' .. digest)
end

-- Return the bytes of a version's document and facts.
local function version_bytes(keys, version)
  return redis.call('HSTRLEN', keys.workflow, 'd' .. version)
    + redis.call('HSTRLEN', keys.workflow, 'm' .. version)
end

-- Remove the document of a version. The names of its nodes stay for readable executions.
local function remove_version(keys, version, now)
  count_documents(keys, -version_bytes(keys, version), 0)
  local was_run = redis.call('HEXISTS', keys.workflow, 'r' .. version) == 1
  redis.call('HDEL', keys.workflow, 'd' .. version, 'm' .. version, 'r' .. version,
    'p' .. version)
  if not was_run then return remove_names(keys, version) end
  local digest = redis.call('HGET', keys.names, 'v' .. version)
  if digest then
    redis.call('HSET', keys.names, 'v' .. version, digest .. ':' .. string.format('%d', now))
  end
end
