-- Return the versions that aliases and canaries of a workflow name, as keys of a table.
local function aliased_versions()
  local versions = {}
  for _, alias in pairs(read_aliases()) do
    versions[string.format('%d', alias.version)] = true
    if alias.canary then versions[string.format('%d', alias.canary.version)] = true end
  end
  return versions
end
