#!lua flags=allow-oom
-- Schedule an execution without a worker and without a hint, whatever number of holders it records.
-- Its running nodes become pending.
-- Called again, the script changes nothing.
-- KEYS: execution, due
-- ARGV: now?, reference, fence (on record when no worker was found)
-- Returns 1 when scheduled, else 0
-- Uses: read_now, lost_attempt
local now = read_now(ARGV.now)

local head = redis.call('HMGET', KEYS.execution, 'status', 'statuses', 'fence')
if head[1] ~= 'processing' and head[1] ~= 'cancel_requested' then return 0 end
if (head[3] or '0') ~= ARGV.fence then return 0 end
if redis.call('ZSCORE', KEYS.due, ARGV.reference) then return 0 end

local claims = {}
for position in string.gmatch(head[2], '()r') do
  local field = 'n' .. (position - 1)
  local text = redis.call('HGET', KEYS.execution, field) or '0:0:0:0'
  local fence, attempts, at, lost = string.match(text, '^(%d+):(%d+):(%d+):(%d+)$')
  claims[#claims + 1], claims[#claims + 2] =
    lost_attempt(position - 1, attempts, fence, at, now)
  claims[#claims + 1] = field
  claims[#claims + 1] = '0:' .. attempts .. ':' .. at .. ':' .. (lost + 1)
end

if #claims > 0 then redis.call('HSET', KEYS.execution, unpack(claims)) end
local statuses = string.gsub(head[2], 'r', 'p')
redis.call('HSET', KEYS.execution, 'statuses', statuses, 'holders', '0', 'shares_work', '')
redis.call('HINCRBY', KEYS.execution, 'lost', 1)
redis.call('ZADD', KEYS.due, string.format('%d', now), ARGV.reference)
return 1
