-- Versions of a workflow. On the workflow's record: `d<version>` its document, `m<version>` its time in
-- milliseconds, a colon and its facts, and `r<version>` once it was run. Beside it: `v<version>` the digest of how its nodes are called and, when the document
-- is gone, a colon and since when in milliseconds; `n<digest>` the names, and `c<digest>` of how many
-- versions they are.
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

-- Remove the document of a version; its nodes' names stay for executions that can still be read.
local function remove_version(keys, version, now)
  count_documents(keys, -version_bytes(keys, version), 0)
  local was_run = redis.call('HEXISTS', keys.workflow, 'r' .. version) == 1
  redis.call('HDEL', keys.workflow, 'd' .. version, 'm' .. version, 'r' .. version)
  if not was_run then return remove_names(keys, version) end
  local digest = redis.call('HGET', keys.names, 'v' .. version)
  if digest then
    redis.call('HSET', keys.names, 'v' .. version, digest .. ':' .. string.format('%d', now))
  end
end
