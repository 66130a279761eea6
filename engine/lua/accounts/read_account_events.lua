#!lua flags=no-writes
-- Read the events of an account since a time: executions that were accepted or have ended, changes,
-- and the last movement of credits. Those that other executions began are not among the account's
-- executions, and are left out. All of a millisecond is there once it is over, so each event is
-- read once by a reader that goes on at the answered time.
-- After a lost reply the call is sent again.
-- KEYS: executions, finished, changes, ledger
-- ARGV: now?, since? (time in milliseconds from which on to read; absent: nothing yet), prefix (of
--       the account's references), most (events of a kind), most_examined (ended executions)
-- Returns {time before which all is read, {execution, time, …} accepted,
--         {reference, time, …} ended, {change, time, …}, {last movement of credits}}
-- Uses: read_now
local now = read_now(ARGV.now)
local ends, most = now, tonumber(ARGV.most)
if ARGV.since == '' then return {string.format('%d', now), {}, {}, {}, {}} end

-- Read less when a list is cut, at least one millisecond.
local function cut_at(score)
  ends = math.min(ends, math.max(tonumber(score), tonumber(ARGV.since) + 1))
end

local behind = '(' .. string.format('%d', now)
local accepted = redis.call('ZRANGE', KEYS.executions, ARGV.since, behind, 'BYSCORE',
  'LIMIT', 0, most, 'WITHSCORES')
local changes = redis.call('ZRANGE', KEYS.changes, ARGV.since, behind, 'BYSCORE',
  'LIMIT', 0, most, 'WITHSCORES')
if #accepted == 2 * most then cut_at(accepted[#accepted]) end
if #changes == 2 * most then cut_at(changes[#changes]) end

local PAGE = 500
local ended, examined = {}, 0
repeat
  local page = redis.call('ZRANGE', KEYS.finished, ARGV.since, behind, 'BYSCORE',
    'LIMIT', examined, PAGE, 'WITHSCORES')
  for position = 1, #page, 2 do
    local is_own = string.sub(page[position], 1, #ARGV.prefix) == ARGV.prefix
    local id = string.sub(page[position], #ARGV.prefix + 1)
    if is_own and redis.call('ZSCORE', KEYS.executions, id) then
      ended[#ended + 1], ended[#ended + 2] = page[position], page[position + 1]
    end
  end
  examined = examined + PAGE
  local is_last = #page < 2 * PAGE
  if not is_last and (#ended >= 2 * most or examined >= tonumber(ARGV.most_examined)) then
    cut_at(page[#page])
    is_last = true
  end
until is_last
return {string.format('%d', ends), accepted, ended, changes,
  redis.call('XREVRANGE', KEYS.ledger, '+', '-', 'COUNT', 1)}
