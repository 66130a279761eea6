-- Return the refusal of a save that exceeds the quota of the account's tier, of bytes or, for a new
-- workflow, of workflows; nothing when it fits. The argument `limits` is pairs of tier and
-- 'workflows:bytes'.
local function document_limits(bytes, is_new)
  local account = redis.call('HGET', KEYS.accounts, ARGV.account)
  local used = redis.call('HMGET', KEYS.documents, 'bytes', 'workflows')
  local used_bytes, used_workflows = tonumber(used[1] or '0'), tonumber(used[2] or '0')
  local tier = string.match(account or '', '^([^|]+)|')
  for position = FIRST.limits, LAST.limits, 2 do
    if ARGV[position] == tier then
      local most, most_bytes = string.match(ARGV[position + 1], '^(%d*):(%d*)$')
      most, most_bytes = tonumber(most), tonumber(most_bytes)
      if is_new and most and used_workflows >= most then
        return {'full', 'workflows', used_workflows, most}
      end
      if bytes > 0 and most_bytes and used_bytes + bytes > most_bytes then
        return {'full', 'bytes', used_bytes, most_bytes}
      end
    end
  end
end
