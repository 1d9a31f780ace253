-- Jobs newest first, a thousand looked at in a call: where the next is to go on, and those that were asked for.
local before, most, owner, kind = ARGV[2], tonumber(ARGV[3]), ARGV[4], ARGV[5]
local any_owner, states = ARGV[6] == '1', {}
local LOOK_MAX = 1000
for at = 7, #ARGV do states[ARGV[at]] = true end

-- Ids sort by time, so each index is in the order that is wanted; an owner's has jobs of all states.
local indexes = {}
if any_owner or owner == '' then
  for at = 7, #ARGV do table.insert(indexes, 'state:' .. ARGV[at]) end
else
  indexes = {'owner:' .. owner}
end
local ids = {}
for _, index in ipairs(indexes) do
  local found = redis.call('ZREVRANGEBYLEX', P .. index, before == '' and '+' or '(' .. before, '-', 'LIMIT', 0, LOOK_MAX)
  for _, id in ipairs(found) do table.insert(ids, id) end
end
table.sort(ids, function(a, b) return a > b end)

local jobs, reached = {}, ''
for at, id in ipairs(ids) do
  if at > LOOK_MAX or #jobs >= most then break end
  reached = id
  local job = redis.call('HMGET', job_key(id), 'state', 'owner', 'kind')
  if states[job[1]] and (any_owner or job[2] == owner) and (kind == '' or job[3] == kind) then
    table.insert(jobs, row(id))
  end
end
return {reached, jobs}
