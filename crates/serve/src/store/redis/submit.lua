-- Takes a job in. Nothing is written before all is known, and Redis itself refuses the first write when it is full.
local id, kind, order, owner, rows, octets = ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6], ARGV[7]
local progress = ARGV[8]
local most_jobs, most_rows, most_octets = tonumber(ARGV[9]), tonumber(ARGV[10]), tonumber(ARGV[11])
local idempotency, digest, keep = ARGV[12], ARGV[13], ARGV[14]

if idempotency ~= '' then
  local known = redis.call('GET', idempotency)
  if known then
    local job, known_digest = string.match(known, '^(%S+) (.*)$')
    if known_digest ~= digest then return {'reused', job} end
    -- The same submission once more, whose answer was lost, is as new as it was.
    if job == id then return {'new'} end
    return {'known', job}
  end
end
local there = redis.call('HMGET', job_key(id), 'kind', 'order', 'owner', 'rows', 'octets')
if there[1] then
  local same = there[1] == kind and there[2] == order and there[3] == owner and there[4] == rows and there[5] == octets
  return {same and 'new' or 'taken'}
end
local jobs = redis.call('ZCARD', P .. 'state:queued') + redis.call('ZCARD', P .. 'state:running')
  + redis.call('ZCARD', P .. 'state:paused')
local totals = redis.call('HMGET', P .. 'totals', 'open.rows', 'open.octets', 'paused.rows', 'paused.octets')
if jobs + 1 > most_jobs
  or (totals[1] or 0) + (totals[3] or 0) + rows > most_rows
  or (totals[2] or 0) + (totals[4] or 0) + octets > most_octets then
  return {'full'}
end

local first = redis.pcall('HSET', job_key(id), 'kind', kind, 'order', order, 'owner', owner, 'state', 'queued', 'wish', 'run',
  'rows', rows, 'octets', octets, 'created', whole(now), 'attempt', 0, 'parts_done', 0, 'parts', 1, 'progress', progress)
if type(first) == 'table' and first.err then
  if string.find(first.err, 'OOM', 1, true) then return {'full'} end
  error(first.err, 0)
end
redis.call('ZADD', P .. 'state:queued', 0, id)
if owner ~= '' then redis.call('ZADD', P .. 'owner:' .. owner, 0, id) end
redis.call('HINCRBY', P .. 'totals', 'open.rows', rows)
redis.call('HINCRBY', P .. 'totals', 'open.octets', octets)
wait(id, 0, {fence = 0, lost = 0}, WORK)
if idempotency ~= '' then
  redis.call('SET', idempotency, id .. ' ' .. digest, 'PX', keep)
  -- Redis forgets the key by itself; this is how it can be told that it did.
  redis.call('ZADD', P .. 'idempotency', whole(now + keep), idempotency)
end
touch(id)
return {'new', redis.call('GET', P .. 'revision')}
