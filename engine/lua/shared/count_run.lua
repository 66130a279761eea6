-- Return the field `runs` of a workflow's record after another execution: the day of the last one and
-- the numbers of those accepted on that day (UTC) and on the six before, 'day:n,n,…', then '|' and the
-- last one of its own account, 'created:id:status:credits', empty without any. `own` is the id of
-- an execution of that account.
local function count_run(runs, now, own)
  local DAYS, DAY_MS = 7, 86400000
  local day, counts = math.floor(now / DAY_MS), {}
  local last, before, run = string.match(runs or '', '^(%d+):([%d,]+)|(.*)$')
  for position = 1, math.min(DAYS, math.max(0, day - (tonumber(last) or day - DAYS))) do
    counts[position] = '0'
  end
  for count in string.gmatch(before or '', '%d+') do
    if #counts < DAYS then counts[#counts + 1] = count end
  end
  counts[1] = string.format('%d', counts[1] + 1)
  if own then run = string.format('%d:%s:processing:0', now, own) end
  return string.format('%d:%s|%s', math.max(day, tonumber(last) or day),
    table.concat(counts, ','), run or '')
end
