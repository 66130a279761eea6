#!lua flags=allow-oom
-- Replace the facts of entries of an audit log; all else of it stays, with its ids. Entries of a
-- stream cannot be changed, so the stream is written anew.
-- Called again, the script changes nothing.
-- KEYS: audit
-- ARGV: redactions... (id of an entry, JSON of its before and of its after)
-- Returns the number of replaced facts
local wanted = {}
for position = FIRST.redactions, LAST.redactions, 3 do
  wanted[ARGV[position]] = {ARGV[position + 1], ARGV[position + 2]}
end
local entries, changed = redis.call('XRANGE', KEYS.audit, '-', '+'), 0
for _, entry in ipairs(entries) do
  local facts, words = wanted[entry[1]], entry[2]
  for position = 1, facts and #words or 0, 2 do
    local place = words[position] == 'before' and 1 or words[position] == 'after' and 2
    if place and words[position + 1] ~= facts[place] then
      words[position + 1] = facts[place]
      changed = changed + 1
    end
  end
end
if changed == 0 then return 0 end
redis.call('DEL', KEYS.audit)
for _, entry in ipairs(entries) do redis.call('XADD', KEYS.audit, entry[1], unpack(entry[2])) end
return changed
