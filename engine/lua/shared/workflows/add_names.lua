-- Return the bytes that the names of the nodes, argument `names`, add to those on record.
local function names_bytes()
  local is_known = redis.call('HEXISTS', KEYS.node_names, 'n' .. ARGV.names_digest) == 1
  return is_known and 0 or #ARGV.names
end

-- Record the names of a version's nodes.
local function add_names(version)
  redis.call('HSETNX', KEYS.node_names, 'n' .. ARGV.names_digest, ARGV.names)
  redis.call('HINCRBY', KEYS.node_names, 'c' .. ARGV.names_digest, 1)
  redis.call('HSET', KEYS.node_names, 'v' .. version, ARGV.names_digest)
end
