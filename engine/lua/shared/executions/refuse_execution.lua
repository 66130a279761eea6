-- Return the refusal of an execution to accept, for its version or as one too many, nil for none;
-- and with a version of the account's own the fields of its workflow for `record_execution`.
local function refuse_execution(active)
  local refusal, version
  if ARGV.version ~= '' and ARGV.version_kind ~= 'foreign' then
    version = redis.call('HMGET', KEYS.workflow, 'version', 'state', 'r' .. ARGV.version, 'runs',
      'aliases_revision')
    local has_other_aliases = ARGV.aliases_revision ~= ''
      and ARGV.aliases_revision ~= (version[5] or '0')
    if version[1] ~= ARGV.version or version[2] == 'deleted' or has_other_aliases then
      -- Uses: refuse_version
      refusal = refuse_version(KEYS.workflow, ARGV.version, ARGV.version_kind, version[1],
        version[2])
      if has_other_aliases and not (refusal and refusal[1] == 'gone') then
        refusal = {'stale', version[1]}
      end
    end
  end
  if not refusal and ARGV.most_active ~= '' and active >= tonumber(ARGV.most_active) then
    refusal = {'busy', active}
  end
  return refusal, version
end
