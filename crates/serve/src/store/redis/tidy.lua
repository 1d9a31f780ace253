-- Ends what has timed out, and forgets what was kept long enough.
local lease, deliveries, keep, reason = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4]), ARGV[5]
-- So many of each in one call: the next comes in a second.
local LOST_MAX, GONE_MAX = 200, 200
permit()

-- A lease is the time since its ticket was claimed, by Redis' clock, which goes on while Redis is stopped or starts again. Nobody could
-- renew meanwhile: when nobody tidied for long, that time does not count until everybody had a chance to renew.
local function idle_needed()
  local meta = redis.call('HMGET', P .. 'meta', 'tidied', 'gap', 'gap.until')
  local last, gap, gap_until = tonumber(meta[1] or now), tonumber(meta[2] or 0), tonumber(meta[3] or 0)
  redis.call('HSET', P .. 'meta', 'tidied', whole(now))
  if now < last then
    -- The clock was set back: leases that were renewed in its future would last till then. They begin anew.
    for _, stream in ipairs({FIRST, WORK}) do
      for _, pending in ipairs(grouped('XPENDING', P .. stream, GROUP, '-', '+', 10000)) do
        redis.call('XCLAIM', P .. stream, GROUP, CONSUMER, 0, pending[1], 'JUSTID')
      end
    end
    redis.call('HDEL', P .. 'meta', 'gap', 'gap.until')
    return lease
  end
  if now - last > lease / 2 then
    gap, gap_until = now - last, now + lease / 2
    redis.call('HSET', P .. 'meta', 'gap', whole(gap), 'gap.until', whole(gap_until))
  end
  return now < gap_until and lease + gap or lease
end

local function take_back(stream, entry)
  local ticket = stream .. ':' .. entry
  local found = redis.call('XRANGE', P .. stream, entry, entry)[1]
  if not found then
    redis.call('XACK', P .. stream, GROUP, entry)
    return 0, 0
  end
  local id, number = found[2][2], found[2][4]
  local part, state = read_part(id, number), redis.call('HGET', job_key(id), 'state')
  if part and part.ticket == ticket and part.state == RUNS and state == 'running' then
    if deliver_again(id, number, part, deliveries, reason) then return 0, 1 end
    return 1, 0
  end
  drop_ticket(ticket)
  if part and part.ticket == ticket and part.state == WAITS and (state == 'queued' or state == 'running') then
    -- Its worker was gone before the delivery began, so none is counted.
    wait(id, number, part, FIRST)
  end
  return 0, 0
end

local function forget(id)
  local job = row(id)
  local state, owner = redis.call('HGET', job_key(id), 'state'), redis.call('HGET', job_key(id), 'owner')
  redis.call('UNLINK', job_key(id), parts_key(id))
  redis.call('ZREM', P .. 'ended', id)
  redis.call('ZREM', P .. 'changes', id)
  if state then redis.call('ZREM', P .. 'state:' .. state, id) end
  if owner and owner ~= '' then redis.call('ZREM', P .. 'owner:' .. owner, id) end
  return job
end

due()
local redelivered, died, gone = 0, 0, {}
local needed = whole(idle_needed())
for _, stream in ipairs({FIRST, WORK}) do
  for _, pending in ipairs(grouped('XPENDING', P .. stream, GROUP, 'IDLE', needed, '-', '+', LOST_MAX)) do
    local again, dead = take_back(stream, pending[1])
    redelivered, died = redelivered + again, died + dead
  end
end
for _, id in ipairs(redis.call('ZRANGEBYSCORE', P .. 'ended', '-inf', '(' .. whole(now - keep), 'LIMIT', 0, GONE_MAX)) do
  table.insert(gone, forget(id))
end
local keys = redis.call('ZREMRANGEBYSCORE', P .. 'idempotency', '-inf', whole(now))
-- Every process tidies; one a second is enough for this.
if redis.call('SET', P .. 'scan', '', 'NX', 'PX', 900) then scan() end
return {redelivered, died, keys, redis.call('GET', P .. 'revision'), gone}
