-- Return the first open waits of a root's children as rows of child, node and facts, for the first
-- entries of a watcher that comes later than these waits; nil unless the caller has named all these
-- children.
local function child_waits()
  local rows, records = {}, {}
  for place = FIRST.ids, LAST.ids do
    records[ARGV[place]] = KEYS[FIRST.children + place - FIRST.ids]
  end
  for _, name in ipairs(redis.call('ZRANGE', KEYS.child_waits, 0, ARGV.most_waits - 1)) do
    local child, node = string.match(name, '^(.*)/(%d+)$')
    local record = records[child]
    if not record then return nil end
    local wait = redis.call('HGET', record, 'q' .. node)
    if wait then rows[#rows + 1] = {child, node, string.match(wait, '^[^\n]*')} end
  end
  return rows
end
