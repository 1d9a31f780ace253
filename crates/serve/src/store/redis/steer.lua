-- Does what a person wants to a job.
local id, steer = ARGV[2], ARGV[3]
local job = redis.call('HMGET', job_key(id), 'state', 'started')
local state, started = job[1], job[2]
if not state then return {'unknown'} end
permit()

local steers = {}

function steers.cancel()
  if state ~= 'queued' and state ~= 'running' and state ~= 'paused' then return false end
  redis.call('HDEL', job_key(id), 'reason')
  end_job(id, state, 'cancelled')
  return true
end

function steers.retry()
  if state ~= 'failed' and state ~= 'cancelled' and state ~= 'dead' then return false end
  redis.call('ZREM', P .. 'ended', id)
  redis.call('HDEL', job_key(id), 'ended', 'reason')
  move(id, state, 'queued')
  release(id, WORK, true)
  touch(id, 'attempt', 0)
  return true
end

function steers.pause()
  if state == 'queued' then
    move(id, state, 'paused')
    touch(id)
  elseif state == 'running' then
    touch(id, 'wish', 'pause')
  else
    return false
  end
  return true
end

function steers.resume()
  if state == 'paused' then
    move(id, state, 'queued')
    release(id, started and FIRST or WORK, false)
    touch(id, 'wish', 'run')
  elseif state == 'running' then
    touch(id, 'wish', 'run')
  else
    return false
  end
  return true
end

function steers.stop()
  if (state == 'queued' or state == 'paused') and not started then return steers.cancel() end
  if state == 'queued' or state == 'running' then
    touch(id, 'wish', 'stop')
  elseif state == 'paused' then
    move(id, state, 'queued')
    release(id, FIRST, false)
    touch(id, 'wish', 'stop')
  else
    return false
  end
  return true
end

if not steers[steer]() then return {'no', state} end
return {'done', row(id), redis.call('GET', P .. 'revision')}
