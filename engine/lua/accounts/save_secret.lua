#!lua
-- Save a secret of an account, unless it would be one too many. The sealed form of a value is always
-- the same, so that the same value again changes nothing.
-- KEYS: 1 account's secrets
-- ARGV: 1 now (0: Redis's clock), 2 name, 3 sealed value, 4 most secrets
-- Returns {'ok', created, updated} | {'full', number of secrets}
-- Uses: read_now
local stamp = string.format('%d', read_now(ARGV[1]))
local name, created, updated = ARGV[2], ARGV[2] .. '.created', ARGV[2] .. '.updated'

local kept = redis.call('HMGET', KEYS[1], name, created, updated)
if kept[1] == ARGV[3] then return {'ok', kept[2], kept[3]} end
local count = redis.call('HLEN', KEYS[1]) / 3
if not kept[1] and count >= tonumber(ARGV[4]) then return {'full', string.format('%d', count)} end

local first = kept[2] or stamp
redis.call('HSET', KEYS[1], name, ARGV[3], created, first, updated, stamp)
return {'ok', first, stamp}
