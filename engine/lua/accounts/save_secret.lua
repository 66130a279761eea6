#!lua
-- Save a secret of an account, unless it would be one too many. The sealed form of a value is always
-- the same, so that the same value again changes nothing.
-- KEYS: 1 account's secrets, 2 audit log
-- ARGV: 1 now (0: Redis's clock), 2 name, 3 sealed value, 4 most secrets, 5 to 10 the act of the audit
--       log, whose before is the after if there was a value
-- Returns {'ok', created, updated} | {'full', number of secrets}
-- Uses: read_now, add_audit
local keys = {audit = KEYS[2]}
local now = read_now(ARGV[1])
local stamp = string.format('%d', now)
local name, created, updated = ARGV[2], ARGV[2] .. '.created', ARGV[2] .. '.updated'

local kept = redis.call('HMGET', KEYS[1], name, created, updated)
if kept[1] == ARGV[3] then return {'ok', kept[2], kept[3]} end
local count = redis.call('HLEN', KEYS[1]) / 3
if not kept[1] and count >= tonumber(ARGV[4]) then return {'full', string.format('%d', count)} end

local first = kept[2] or stamp
redis.call('HSET', KEYS[1], name, ARGV[3], created, first, updated, stamp)
add_audit(keys, now, 5, kept[1] and ARGV[10] or 'null')
return {'ok', first, stamp}
