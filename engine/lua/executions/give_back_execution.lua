#!lua flags=allow-oom
-- Release an execution from a dead or stopping worker; its running nodes become pending. Workers
-- lost since the last step are counted, since a node that runs without a claim may have killed
-- them.
-- Called again, the script changes nothing.
-- KEYS: 1 execution, 2 due, 3 held by that worker
-- ARGV: 1 now (0: Redis's clock), 2 reference, 3 '1' when the worker was lost (counted per node),
--       4 pause in milliseconds, doubled for each further loss (none: 0), 5 required claim on
--       record (none: any)
-- Returns 1 when the worker held the execution, else 0
-- Uses: read_now, lost_attempt
local now = read_now(ARGV[1])
local MOST_DOUBLINGS, LONGEST_PAUSE = 10, 60000

local held = redis.call('HGET', KEYS[3], ARGV[2])
local expected = ARGV[5] or ''
if not held or (expected ~= '' and held ~= expected) then return 0 end
local head = redis.call('HMGET', KEYS[1], 'status', 'statuses', 'holders')
if head[1] ~= 'processing' and head[1] ~= 'cancel_requested' then
  redis.call('HDEL', KEYS[3], ARGV[2])
  return 0
end

-- All reads that can fail come before the first write.
local fence = string.match(held, '^(%d+):')
local codes, claims = {string.byte(head[2], 1, -1)}, {}
for position in string.gmatch(head[2], '()r') do
  local field = 'n' .. (position - 1)
  local text = redis.call('HGET', KEYS[1], field)
  local owner, attempts, at, lost = string.match(text, '^(%d+):(%d+):(%d+):(%d+)$')
  if owner == fence then
    if ARGV[3] == '1' then
      claims[#claims + 1], claims[#claims + 2] =
        lost_attempt(KEYS[1], position - 1, attempts, fence, at, now)
      lost = lost + 1
    else
      attempts = attempts - 1
    end
    claims[#claims + 1] = field
    claims[#claims + 1] = '0:' .. attempts .. ':' .. at .. ':' .. lost
    codes[position] = string.byte('p')
  end
end

redis.call('HDEL', KEYS[3], ARGV[2])
if #claims > 0 then redis.call('HSET', KEYS[1], unpack(claims)) end
-- A remaining holder may not notice the change for a while: other workers may help.
local holders = math.max(0, tonumber(head[3] or '0') - 1)
redis.call('HSET', KEYS[1], 'statuses', string.char(unpack(codes)),
  'holders', holders, 'offered', holders > 0 and '1' or '0')
local pause = tonumber(ARGV[4] or '0')
if ARGV[3] == '1' then
  local lost = redis.call('HINCRBY', KEYS[1], 'lost', 1)
  pause = pause * 2 ^ math.min(lost - 1, MOST_DOUBLINGS)
end
redis.call('ZADD', KEYS[2], string.format('%d', now + math.min(pause, LONGEST_PAUSE)), ARGV[2])
return 1
