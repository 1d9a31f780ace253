-- Gives a worker parts: first those whose tickets it read while it waited, then what else there is.
local worker, most = ARGV[2], tonumber(ARGV[3])
-- Tickets looked at in one call, so that a thousand cancelled jobs do not hold Redis up.
local LOOK_MAX = 1000
local leases, looked = {}, 0
permit()

local function start(ticket, id, number)
  looked = looked + 1
  local job = redis.call('HMGET', job_key(id), 'state', 'started', 'created', 'attempt', 'parts')
  local part = read_part(id, number)
  local state = job[1]
  if part and part.ticket == ticket and part.state == RUNS and state == 'running' then
    -- Its lease was made anew after its first ticket was lost: this is the lease, not an offer.
    return
  end
  if not part or part.ticket ~= ticket or part.state ~= WAITS or (state ~= 'queued' and state ~= 'running') then
    drop_ticket(ticket)
    return
  end
  if #leases >= most then
    -- Read while waiting, and one more than there is room for.
    drop_ticket(ticket)
    wait(id, number, part, FIRST)
    return
  end
  -- The fence follows the clock, so that it is another one even when a power cut took this delivery back.
  part.state, part.fence = RUNS, math.max(part.fence + 1, micros)
  write_part(id, number, part)
  local attempt = part.lost + 1
  move(id, state, 'running')
  redis.call('HINCRBY', job_key(id), 'running', 1)
  touch(id, 'started', job[2] or whole(math.max(now, tonumber(job[3]))), 'attempt',
    math.max(tonumber(job[4]), attempt), 'worker', worker)
  local payload = redis.call('HGET', parts_key(id), 'p' .. number)
  local parts = tonumber(job[5])
  local is_join = parts > 1 and tonumber(number) == parts - 1
  table.insert(leases, {row(id), {number, whole(part.fence), whole(attempt), payload, is_join and '1' or '0'}})
end

due()
for at = 4, #ARGV, 4 do start(ARGV[at] .. ':' .. ARGV[at + 1], ARGV[at + 2], ARGV[at + 3]) end
for _, stream in ipairs({FIRST, WORK}) do
  while #leases < most and looked < LOOK_MAX do
    local read = grouped('XREADGROUP', 'GROUP', GROUP, CONSUMER, 'COUNT', most - #leases, 'STREAMS', P .. stream, '>')
    if not read then break end
    for _, entry in ipairs(read[1][2]) do
      local fields = entry[2]
      if fields then start(stream .. ':' .. entry[1], fields[2], fields[4]) end
    end
  end
end
return {looked >= LOOK_MAX and 1 or 0, redis.call('GET', P .. 'revision'), leases}
