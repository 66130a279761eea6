#!lua
-- Save a trigger: a new one, unless it would be one too many, or other settings of one that still
-- has the revision with which it was read. A due time that has come meanwhile stays, so that none
-- is lost; a schedule with one is not disabled. Called again, the script returns its first answer.
-- After a lost reply the call is sent again.
-- KEYS: triggers, audit, open_schedules, schedules_due, hooks, account_api_keys? (with a key)
-- ARGV: now?, account_id, id, revision (with which it was read; 0: a new one), settings (packed),
--       enabled (1 or 0), since? (absent: due times stay), next? (due time), key? (API key that
--       makes it), secret? (its name), pins? (slug@version, if it runs one version), token?
--       (sealed, of a new inbound webhook), hook? (digest of the token), most (triggers), act*6
-- Returns {'ok', values of the trigger's fields} | {'full', number of triggers} | {'gone'}
--         | {'changed'} | {'no_key'} when the key is deleted | {'due'} when a due time must begin
--         before
-- Uses: read_now, add_audit, trigger_fields, schedule_look
local now = read_now(ARGV.now)
local stamp = string.format('%d', now)
local id = ARGV.id
local function name(field) return id .. '.' .. field end

local former, revision, enabled, next_at, since, last = unpack(redis.call('HMGET', KEYS.triggers,
  id, name('revision'), name('enabled'), name('next'), name('since'), name('last')))
local is_new = ARGV.revision == '0'
if former and tonumber(revision) == tonumber(ARGV.revision) + 1 and former == ARGV.settings
  and enabled == ARGV.enabled then
  return {'ok', trigger_fields(id)}
end
if is_new and former or former and revision ~= ARGV.revision then return {'changed'} end
if not is_new and not former then return {'gone'} end
if KEYS.account_api_keys and redis.call('HEXISTS', KEYS.account_api_keys, ARGV.key) == 0 then
  return {'no_key'}
end
if is_new then
  local count = 0
  for _, field in ipairs(redis.call('HKEYS', KEYS.triggers)) do
    if not string.find(field, '.', 1, true) then count = count + 1 end
  end
  if count >= tonumber(ARGV.most) then return {'full', string.format('%d', count)} end
end
local due_at = tonumber(next_at or '')
local is_due = enabled == '1' and due_at and due_at <= now
if is_due and ARGV.enabled == '0' then return {'due'} end
local stays = is_due or ARGV.since == ''
-- A worker may have begun the due time since the trigger was read.
local last_at = tonumber(string.match(last or '', '^[^,]+,%a,(%d+)') or '-1')
if not stays and ARGV.next ~= '' and tonumber(ARGV.next) <= last_at then return {'changed'} end
local due = ARGV.enabled == '1' and (stays and next_at or ARGV.next) or ''
redis.call('HSET', KEYS.triggers, id, ARGV.settings, name('enabled'), ARGV.enabled,
  name('revision'), string.format('%d', tonumber(ARGV.revision) + 1), name('updated'), stamp,
  name('since'), ARGV.since == '' and since or ARGV.since, name('next'), due,
  name('secret'), ARGV.secret, name('pins'), ARGV.pins)
if not stays then redis.call('HDEL', KEYS.triggers, name('held')) end
if is_new then
  redis.call('HSET', KEYS.triggers, name('created'), stamp, name('key'), ARGV.key)
  if ARGV.token ~= '' then
    redis.call('HSET', KEYS.triggers, name('token'), ARGV.token, name('hook'), ARGV.hook)
    redis.call('HSET', KEYS.hooks, ARGV.hook, ARGV.account_id .. '/' .. id)
  end
end
schedule_look(ARGV.account_id, id, due)
add_audit(now)
return {'ok', trigger_fields(id)}
