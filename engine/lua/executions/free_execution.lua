#!lua flags=allow-oom
-- Schedule an execution without a worker and without a hint, whatever number of holders it records.
-- Its running nodes become pending.
-- Called again, the script changes nothing.
-- KEYS: 1 execution, 2 due
-- ARGV: 1 now (0: Redis's clock), 2 reference, 3 fence recorded when no worker was found
-- Returns 1 when scheduled, else 0
-- Uses: read_now, lost_attempt
local now = read_now(ARGV[1])

local head = redis.call('HMGET', KEYS[1], 'status', 'statuses', 'fence')
if head[1] ~= 'processing' and head[1] ~= 'cancel_requested' then return 0 end
if (head[3] or '0') ~= ARGV[3] or redis.call('ZSCORE', KEYS[2], ARGV[2]) then return 0 end

local claims = {}
for position in string.gmatch(head[2], '()r') do
  local field = 'n' .. (position - 1)
  local text = redis.call('HGET', KEYS[1], field) or '0:0:0:0'
  local fence, attempts, at, lost = string.match(text, '^(%d+):(%d+):(%d+):(%d+)$')
  claims[#claims + 1], claims[#claims + 2] =
    lost_attempt(KEYS[1], position - 1, attempts, fence, at, now)
  claims[#claims + 1] = field
  claims[#claims + 1] = '0:' .. attempts .. ':' .. at .. ':' .. (lost + 1)
end

if #claims > 0 then redis.call('HSET', KEYS[1], unpack(claims)) end
local statuses = string.gsub(head[2], 'r', 'p')
redis.call('HSET', KEYS[1], 'statuses', statuses, 'holders', '0', 'offered', '0')
redis.call('HINCRBY', KEYS[1], 'lost', 1)
redis.call('ZADD', KEYS[2], string.format('%d', now), ARGV[2])
return 1
