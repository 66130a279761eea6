-- Return the field `runs` of a workflow's record after another execution: the day of the last one and
-- the numbers of those accepted on that day (UTC) and on the six before, 'day:n,n,…', then '|' and the
-- last one, 'created:id:status:credits'.
local function count_run(runs, id, now)
  local DAYS, DAY_MS = 7, 86400000
  local day, counts = math.floor(now / DAY_MS), {}
  local last, before = string.match(runs or '', '^(%d+):([%d,]+)')
  for position = 1, math.min(DAYS, math.max(0, day - (tonumber(last) or day - DAYS))) do
    counts[position] = '0'
  end
  for count in string.gmatch(before or '', '%d+') do
    if #counts < DAYS then counts[#counts + 1] = count end
  end
  counts[1] = string.format('%d', counts[1] + 1)
  return string.format('%d:%s|%d:%s:processing:0',
    math.max(day, tonumber(last) or day), table.concat(counts, ','), now, id)
end
