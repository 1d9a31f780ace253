-- Looks through jobs that wait or run for parts whose ticket is gone, as after a stream was deleted; follows life.lua.
-- Jobs are the truth: a part without a ticket would wait for ever.
--
-- A call looks at so many parts, and the next goes on where it stopped.
local SCAN_MAX = 1000

-- The last entry of a stream that was delivered.
local function delivered(stream)
  local groups = redis.pcall('XINFO', 'GROUPS', P .. stream)
  if groups.err or #groups == 0 then
    ensure_groups()
    groups = redis.call('XINFO', 'GROUPS', P .. stream)
  end
  for at = 1, #groups[1], 2 do
    if groups[1][at] == 'last-delivered-id' then return groups[1][at + 1] end
  end
end

local function is_after(entry, other)
  local a, b = string.match(entry, '^(%d+)-(%d+)$')
  local c, d = string.match(other, '^(%d+)-(%d+)$')
  a, b, c, d = tonumber(a), tonumber(b), tonumber(c), tonumber(d)
  return a > c or a == c and b > d
end

local function is_pending(ticket)
  local stream, entry = split_ticket(ticket)
  return stream and #grouped('XPENDING', P .. stream, GROUP, entry, entry, 1) > 0
end

-- Whether a ticket is still to be delivered.
local function is_to_come(ticket, last)
  local stream, entry = split_ticket(ticket)
  if not stream or not is_after(entry, last[stream]) then return false end
  return #redis.call('XRANGE', P .. stream, entry, entry) > 0
end

local function check(id, number, part, last)
  if part.state == WAITS then
    if not is_to_come(part.ticket, last) and not is_pending(part.ticket) then wait(id, number, part, FIRST) end
  elseif part.state == RUNS then
    -- Its worker may be alive: the lease begins anew.
    if not is_pending(part.ticket) then renew(id, number, part) end
  elseif part.state == LATER then
    if not redis.call('ZSCORE', P .. 'delayed', id .. ' ' .. number) then wait(id, number, part, FIRST) end
  end
end

local function scan()
  local meta = redis.call('HMGET', P .. 'meta', 'scan.state', 'scan.job', 'scan.part')
  local state, id, number = meta[1] or 'running', meta[2] or '', tonumber(meta[3] or 0)
  local last, left = {[FIRST] = delivered(FIRST), [WORK] = delivered(WORK)}, SCAN_MAX
  while left > 0 do
    if number == 0 then
      id = redis.call('ZRANGEBYLEX', P .. 'state:' .. state, id == '' and '-' or '(' .. id, '+', 'LIMIT', 0, 1)[1] or ''
    end
    if id == '' then
      -- The end of these; a call goes around once at most.
      state, number = state == 'running' and 'queued' or 'running', 0
      if state == 'running' then break end
    else
      local parts = tonumber(redis.call('HGET', job_key(id), 'parts') or 0)
      local upto = math.min(parts, number + left)
      local names = {}
      for name = number, upto - 1 do table.insert(names, whole(name)) end
      local found = #names > 0 and redis.call('HMGET', parts_key(id), unpack(names)) or {}
      local now_in = redis.call('HGET', job_key(id), 'state')
      for at, name in ipairs(names) do
        local part = part_of(found[at])
        if part and now_in == state then check(id, name, part, last) end
      end
      left = left - math.max(1, #names)
      number = upto < parts and upto or 0
    end
  end
  redis.call('HSET', P .. 'meta', 'scan.state', state, 'scan.job', id, 'scan.part', whole(number))
end
