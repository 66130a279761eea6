#!lua
-- Set the version and the canary of an alias, and add the change to its history. Of `live` only the
-- canary is set. A call that would change nothing changes nothing.
-- After a lost reply the call is sent again.
-- KEYS: workflow, alias_history, documents, accounts
-- ARGV: now?, account, name, version? (of an alias beside `live`), live_version? (that `live` must
--       have), canary? (JSON with its version), most_aliases (beside `live`), reason,
--       limits... (tier and 'workflows:bytes' of every tier, each empty without a limit)
-- Returns {'ok', aliases (JSON, '' for none), revision} | {'gone'} | {'no_document'} without a
--         version | {'not_live', version ('' before the first)} | {'same'} version of alias and
--         canary | {'many', aliases} | {'full', 'bytes', used, limit}
-- Uses: read_now, count_documents, document_limits, aliases, alias_history
local now = read_now(ARGV.now)

local live, state, revision = unpack(redis.call('HMGET', KEYS.workflow,
  'version', 'state', 'aliases_revision'))
if not state or state == 'deleted' then return {'gone'} end
local is_live = ARGV.name == 'live'
if is_live and (not live or ARGV.live_version ~= '' and ARGV.live_version ~= live) then
  return {'not_live', live or ''}
end
local canary = parse_canary(ARGV.canary)
local number = is_live and live or ARGV.version
for _, version in ipairs({number, canary and string.format('%d', canary.version) or number}) do
  if redis.call('HEXISTS', KEYS.workflow, 'd' .. version) == 0 then return {'no_document'} end
end
if canary and canary.version == tonumber(number) then return {'same'} end

local aliases, others = read_aliases(), 0
for name in pairs(aliases) do
  if name ~= 'live' and name ~= ARGV.name then others = others + 1 end
end
if not is_live and others >= tonumber(ARGV.most_aliases) then return {'many', others} end
local former = aliases[ARGV.name] or is_live and {version = tonumber(live)} or nil
local current = {version = tonumber(number), canary = canary, updatedAt = now}

local function is_same(one, other)
  for _, member in ipairs({'version', 'percent', 'minRuns', 'maxErrorRate', 'maxP95Ms'}) do
    if one[member] ~= other[member] then return false end
  end
  return true
end
if former and former.version == current.version
  and is_same(former.canary or {}, current.canary or {}) then
  return {'ok', redis.call('HGET', KEYS.workflow, 'aliases') or '', tonumber(revision or '0')}
end
local refusal = document_limits(1, false)
if refusal then return refusal end

aliases[ARGV.name] = (canary or not is_live) and current or nil
local stored, changed = write_aliases(aliases)
add_history(ARGV.name, now, 'user', ARGV.reason, former, current)
return {'ok', stored, changed}
