-- What ends a part or a job, or makes it wait again; follows base.lua.

-- Ends a job. Its parts stay as they are, so that another try knows what is done; its claims are void by its state.
local function end_job(id, from, to, ...)
  local created = tonumber(redis.call('HGET', job_key(id), 'created'))
  local ended = whole(math.max(now, created))
  move(id, from, to)
  redis.call('ZADD', P .. 'ended', ended, id)
  touch(id, 'ended', ended, 'wish', 'run', 'running', 0, ...)
end

-- A worker has one part less of a job: without any it waits again; or is paused, if a person wished that. Its state then.
local function settle(id)
  if redis.call('HINCRBY', job_key(id), 'running', -1) > 0 then
    touch(id)
    return 'running'
  end
  if redis.call('HGET', job_key(id), 'wish') == 'pause' then
    move(id, 'running', 'paused')
    touch(id, 'wish', 'run')
    return 'paused'
  end
  move(id, 'running', 'queued')
  touch(id)
  return 'queued'
end

-- A delivery had no end: the part waits for the next, from `at` where that is given; or it was the last. Whether the job died.
local function deliver_again(id, number, part, deliveries, reason, at)
  drop_ticket(part.ticket)
  part.lost, part.ticket = part.lost + 1, ''
  if part.lost >= deliveries then
    part.state = WAITS
    write_part(id, number, part)
    end_job(id, 'running', 'dead', 'reason', reason)
    return true
  end
  if settle(id) == 'paused' then
    part.state = WAITS
    write_part(id, number, part)
  elseif at then
    part.state = LATER
    write_part(id, number, part)
    redis.call('ZADD', P .. 'delayed', whole(at), id .. ' ' .. number)
  else
    wait(id, number, part, FIRST)
  end
  return false
end

-- Parts that are not done wait again, each with a ticket of its own; older tickets are passed over.
local function release(id, stream, anew)
  local parts = tonumber(redis.call('HGET', job_key(id), 'parts'))
  for number = 0, parts - 1 do
    local part = read_part(id, number)
    if part.state ~= DONE and part.state ~= PENDING then
      if part.state == LATER then redis.call('ZREM', P .. 'delayed', id .. ' ' .. number) end
      if anew then part.lost = 0 end
      wait(id, number, part, stream)
    end
  end
end

-- The part of a claim that holds, and what a person wants of its job; nothing when it does not hold.
local function held(id, number, fence)
  local job = redis.call('HMGET', job_key(id), 'state', 'wish')
  if job[1] ~= 'running' then return nil end
  local part = read_part(id, number)
  if not part or part.state ~= RUNS or whole(part.fence) ~= fence then return nil end
  return part, job[2]
end

-- Makes a lease last anew. A worker whose ticket was lost gets another: it is known by its fence.
local function renew(id, number, part)
  local stream, entry = split_ticket(part.ticket)
  local claimed = grouped('XCLAIM', P .. stream, GROUP, CONSUMER, 0, entry, 'JUSTID')
  if #claimed > 0 then return end
  part.ticket = add_ticket(FIRST, id, number)
  stream, entry = split_ticket(part.ticket)
  grouped('XCLAIM', P .. stream, GROUP, CONSUMER, 0, entry, 'FORCE', 'JUSTID')
  write_part(id, number, part)
end
