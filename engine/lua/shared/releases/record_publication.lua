-- Record with the aliases that a version is published: at once, which ends the canary of `live`, or
-- with `canary`, its rule, as the canary of the version `former`. Returns the JSON of the aliases
-- and their revision. A workflow that never had aliases gets none by a publication at once.
local function record_publication(now, former, version, canary)
  local revision = redis.call('HGET', KEYS.workflow, 'aliases_revision')
  if not (canary or revision) then return '', 0 end
  local aliases, reason = read_aliases(), 'Version %d was published'
  local live = aliases.live or tonumber(former) > 0 and {version = tonumber(former)} or nil
  local current = {version = version, updatedAt = now}
  if canary then
    canary.version, reason = version, 'Version %d was published as a canary'
    current = {version = tonumber(former), canary = canary, updatedAt = now}
  end
  local stored = redis.call('HGET', KEYS.workflow, 'aliases') or ''
  if canary or aliases.live then
    aliases.live = canary and current or nil
    stored, revision = write_aliases(aliases)
  end
  add_history('live', now, 'user', string.format(reason, version), live, current)
  return stored, tonumber(revision)
end
