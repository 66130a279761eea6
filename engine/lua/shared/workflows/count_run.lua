-- Return the field `runs` of a workflow's record after another execution: the day of the last one
-- and the numbers of those accepted on that day (UTC) and on the six before, 'day:n,n,…', then '|'
-- and the last one of its own account, 'created:id:status:credits', empty without any. `own` is the
-- id of an execution of that account.
local function count_run(runs, now, own)
  local DAYS, DAY_MS = 7, 86400000
  local day = math.floor(now / DAY_MS)
  local last, count, former, run_at = string.match(runs or '', '^(%d+):(%d+)([%d,]*)|()')
  last = tonumber(last)
  if last and last >= day then -- as most times
    day, count = last, count + 1
  else
    local days = {}
    for position = 1, math.min(DAYS, day - (last or day - DAYS)) - 1 do days[position] = '0' end
    for each in string.gmatch(last and count .. former or '', '%d+') do
      if #days < DAYS - 1 then days[#days + 1] = each end
    end
    count, former = 1, ',' .. table.concat(days, ',')
  end
  if own then
    return string.format('%d:%d%s|%d:%s:processing:0', day, count, former, now, own)
  end
  return string.format('%d:%d%s|%s', day, count, former, run_at and string.sub(runs, run_at) or '')
end
