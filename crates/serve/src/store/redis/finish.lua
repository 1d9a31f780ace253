-- Ends a part, if the claim holds.
local id, number, fence, how = ARGV[2], ARGV[3], ARGV[4], ARGV[5]
permit()
local part, wish = held(id, number, fence)
if not part then return {false} end

-- A part is done; when that leaves only the join, it may begin.
local function done(came_to)
  drop_ticket(part.ticket)
  part.state, part.ticket = DONE, ''
  write_part(id, number, part)
  if came_to then redis.call('HSET', parts_key(id), 'r' .. number, came_to) end
  redis.call('HINCRBY', job_key(id), 'running', -1)
  local parts_done = redis.call('HINCRBY', job_key(id), 'parts_done', 1)
  local last = redis.call('HGET', job_key(id), 'parts') - 1
  if parts_done == last then
    local join = read_part(id, last)
    if join and join.state == PENDING then wait(id, whole(last), join, FIRST) end
  end
  touch(id)
end

local ends = {}

function ends.succeeded(result)
  drop_ticket(part.ticket)
  -- What parts came to is in the result by now.
  redis.call('UNLINK', parts_key(id))
  redis.call('HDEL', job_key(id), 'reason')
  end_job(id, 'running', 'succeeded', 'result', result, 'parts_done', redis.call('HGET', job_key(id), 'parts'))
end

function ends.chunk(came_to) done(came_to) end

function ends.split()
  local count = #ARGV - 5
  for chunk = 1, count do
    local name = whole(chunk)
    redis.call('HSET', parts_key(id), 'p' .. name, ARGV[5 + chunk])
    wait(id, name, {fence = 0, lost = 0}, WORK)
  end
  write_part(id, whole(count + 1), {state = PENDING, fence = 0, lost = 0, ticket = ''})
  redis.call('HSET', job_key(id), 'parts', whole(count + 2))
  done()
end

function ends.failed(reason)
  drop_ticket(part.ticket)
  end_job(id, 'running', 'failed', 'reason', reason)
end

function ends.retry(reason, after, deliveries)
  deliver_again(id, number, part, tonumber(deliveries), reason, now + after)
end

function ends.back()
  drop_ticket(part.ticket)
  part.ticket = ''
  if settle(id) == 'paused' then
    part.state = WAITS
    write_part(id, number, part)
  else
    wait(id, number, part, FIRST)
  end
end

function ends.paused(payload)
  drop_ticket(part.ticket)
  part.state, part.ticket = WAITS, ''
  write_part(id, number, part)
  redis.call('HSET', parts_key(id), 'p' .. number, payload)
  move(id, 'running', 'paused')
  touch(id, 'wish', 'run', 'running', 0)
end

if how == 'split' and redis.call('HGET', job_key(id), 'parts') ~= '1' then
  return redis.error_reply('ERR the job was split before')
end
ends[how](ARGV[6], ARGV[7], ARGV[8])
return {wish, redis.call('GET', P .. 'revision')}
