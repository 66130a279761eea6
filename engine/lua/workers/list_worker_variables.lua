#!lua flags=no-writes
-- List the variables of living workers.
-- KEYS: 1 workers, 2 variables of workers
-- ARGV: 1 now (0: Redis's clock)
-- Returns for each worker the names, separated by spaces
-- Uses: read_now
local now = read_now(ARGV[1])
local workers = redis.call('ZRANGEBYSCORE', KEYS[1], string.format('(%d', now), '+inf')
local found = {}
for place, worker in ipairs(workers) do
  found[place] = redis.call('HGET', KEYS[2], worker) or ''
end
return found
