#!lua flags=no-writes
-- Read the events of an account since a time: executions that were accepted or have ended, changes,
-- and the last movement of credits. All of a millisecond is there once it is over, so each event is
-- read once by a reader that goes on at the answered time.
-- KEYS: 1 account's executions, 2 finished, 3 changes of the account, 4 ledger
-- ARGV: 1 now (0: Redis's clock), 2 time in milliseconds from which on to read ('' nothing yet),
--       3 prefix of the account's references, 4 most events of a kind, 5 most ended executions to
--       examine
-- Returns {time before which all is read, {execution, time, …} accepted, {reference, time, …} ended,
--         {change, time, …}, {last movement of credits}}
-- Uses: read_now
local now = read_now(ARGV[1])
local ends, most = now, tonumber(ARGV[4])
if ARGV[2] == '' then return {string.format('%d', now), {}, {}, {}, {}} end

-- Read less when a list is cut, at least one millisecond.
local function cut_at(score)
  ends = math.min(ends, math.max(tonumber(score), tonumber(ARGV[2]) + 1))
end

local function read(position, from, count)
  return redis.call('ZRANGE', KEYS[position], ARGV[2], '(' .. string.format('%d', now), 'BYSCORE',
    'LIMIT', from, count, 'WITHSCORES')
end

local accepted, changes = read(1, 0, most), read(3, 0, most)
if #accepted == 2 * most then cut_at(accepted[#accepted]) end
if #changes == 2 * most then cut_at(changes[#changes]) end

local PAGE = 500
local ended, examined = {}, 0
repeat
  local page = read(2, examined, PAGE)
  for position = 1, #page, 2 do
    if string.sub(page[position], 1, #ARGV[3]) == ARGV[3] then
      ended[#ended + 1], ended[#ended + 2] = page[position], page[position + 1]
    end
  end
  examined = examined + PAGE
  local is_last = #page < 2 * PAGE
  if not is_last and (#ended >= 2 * most or examined >= tonumber(ARGV[5])) then
    cut_at(page[#page])
    is_last = true
  end
until is_last
return {string.format('%d', ends), accepted, ended, changes,
  redis.call('XREVRANGE', KEYS[4], '+', '-', 'COUNT', 1)}
