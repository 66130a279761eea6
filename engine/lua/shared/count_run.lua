-- Return the field `runs` of a workflow's record after another execution: the day of the last one and
-- the numbers of those accepted on that day (UTC) and on the six before, 'day:n,n,…', then '|' and the
-- last one of its own account, 'created:id:status:credits', empty without any. `own` is the id of
-- an execution of that account.
local function count_run(runs, now, own)
  local DAYS, DAY_MS = 7, 86400000
  local day, counts = math.floor(now / DAY_MS), nil
  local last, latest, former, run_at = string.match(runs or '', '^(%d+):(%d+)([%d,]*)|()')
  last = tonumber(last)
  if last and last >= day then -- as most times
    day, counts = last, latest + 1 .. former
  else
    local days = {'1'}
    for position = 2, math.min(DAYS, day - (last or day - DAYS)) do days[position] = '0' end
    for count in string.gmatch(last and latest .. former or '', '%d+') do
      if #days < DAYS then days[#days + 1] = count end
    end
    counts = table.concat(days, ',')
  end
  if own then return string.format('%d:%s|%d:%s:processing:0', day, counts, now, own) end
  return string.format('%d:%s|%s', day, counts, run_at and string.sub(runs, run_at) or '')
end
