#!lua
-- Answer a client's request for a grant, once. A client that is granted one is kept longer.
-- Called again for the same answer, the script returns its first reply.
-- After a lost reply the call is sent again.
-- KEYS: requests, requests_by_end, clients, ungranted, granted
-- ARGV: now?, request, answer, client? (absent: nothing is granted), keep_ms (the client), most
--       (clients that were granted something)
-- Returns the request's record | false
-- Uses: read_now, trim_records
local now = read_now(ARGV.now)
local record = redis.call('HGET', KEYS.requests, ARGV.request)
if not record then return false end
local answered = '!' .. ARGV.answer .. '|'
if string.sub(record, 1, #answered) == answered then return string.sub(record, #answered + 1) end
if string.sub(record, 1, 1) == '!' then return false end
local ends = redis.call('ZSCORE', KEYS.requests_by_end, ARGV.request)
if not ends or tonumber(ends) <= now then return false end

redis.call('HSET', KEYS.requests, ARGV.request, answered .. record)
if ARGV.client ~= '' and redis.call('HEXISTS', KEYS.clients, ARGV.client) == 1 then
  redis.call('ZREM', KEYS.ungranted, ARGV.client)
  local client_ends = string.format('%d', now + tonumber(ARGV.keep_ms))
  redis.call('ZADD', KEYS.granted, client_ends, ARGV.client)
  trim_records(KEYS.clients, KEYS.granted, now, ARGV.most)
end
return record
