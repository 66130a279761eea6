#!lua flags=no-writes
-- List the variables of living workers.
-- KEYS: workers, variables (of workers)
-- ARGV: now?
-- Returns for each worker the names, separated by spaces
-- Uses: read_now
local now = read_now(ARGV.now)
local workers = redis.call('ZRANGEBYSCORE', KEYS.workers, string.format('(%d', now), '+inf')
local found = {}
for place, worker in ipairs(workers) do
  found[place] = redis.call('HGET', KEYS.variables, worker) or ''
end
return found
