-- Return the refusal of a save that exceeds the tier's quota of bytes or, for a new workflow, of
-- workflows; nothing when it fits. `first` is the position of pairs of tier and 'workflows:bytes'
-- in ARGV.
local function document_limits(account, stored, bytes, is_new, first)
  local tier = string.match(account or '', '^([^|]+)|')
  for position = first, #ARGV, 2 do
    if ARGV[position] == tier then
      local most, most_bytes = string.match(ARGV[position + 1], '^(%d*):(%d*)$')
      most, most_bytes = tonumber(most), tonumber(most_bytes)
      if is_new and most and stored.workflows >= most then
        return {'full', 'workflows', stored.workflows, most}
      end
      if bytes > 0 and most_bytes and stored.bytes + bytes > most_bytes then
        return {'full', 'bytes', stored.bytes, most_bytes}
      end
    end
  end
end
